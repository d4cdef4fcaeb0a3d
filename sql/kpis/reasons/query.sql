-- Why people overrode answers. Each override is counted once, in the row without a reason, and is "vague" if it gives no
-- reason or no other than "other"; beside that a row for each reason says how many overrides gave it.
WITH
    latest AS
    (
        SELECT app, response_id, argMax((team, decision, severity, reasons), (occurred_at, event_id)) AS last
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND kind = 'decision'
        GROUP BY app, response_id, if(response_id = '', event_id, toUInt128(0))
    ),
    overrides AS
    (
        SELECT last.1 AS of_team, app, arrayDistinct(last.4) AS codes
        FROM latest
        WHERE last.2 = 'rejected' OR (last.2 = 'edited' AND ifNull(last.3 >= {severity:Float64}, false))
    )
SELECT
    of_team AS team,
    app,
    reason,
    sum(vague) AS numerator,
    sum(once) AS denominator,
    sum(given_once) AS extra_given
FROM
(
    SELECT of_team, app, '' AS reason, empty(arrayFilter(code -> code != 'other', codes)) AS vague, 1 AS once, 0 AS given_once
    FROM overrides
    UNION ALL
    SELECT of_team, app, arrayJoin(codes), 0, 0, 1
    FROM overrides
)
GROUP BY team, app, reason

-- How much people changed what they were given: the last edit of each answer, by its severity in hundredths. A row is of
-- one severity, so that any quantile can be read from the counts.
WITH
    latest AS
    (
        SELECT app, response_id, argMax((team, ifNull(severity, 0)), (occurred_at, event_id)) AS last
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND severity IS NOT NULL
            AND (kind = 'edit' OR (kind = 'decision' AND decision = 'edited'))
        GROUP BY app, response_id, if(response_id = '', event_id, toUInt128(0))
    )
SELECT
    last.1 AS team,
    app,
    toUInt8(floor(last.2 * 100)) AS hundredth,
    count() AS numerator,
    countIf(last.2 >= {severity:Float64}) AS extra_substantial,
    countIf(last.2 = 0) AS extra_untouched
FROM latest
GROUP BY team, app, hundredth

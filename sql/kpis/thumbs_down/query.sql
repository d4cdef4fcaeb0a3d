-- Thumbs down of all answers that were rated: an answer without a thumb is not a thumb up. The last thumb on an
-- answer counts; a thumb that names no answer counts by itself.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    latest AS
    (
        SELECT app, response_id, argMax((team, thumb), (occurred_at, event_id)) AS last
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND kind = 'thumb'
        GROUP BY app, response_id, if(response_id = '', event_id, toUInt128(0))
    ),
    shown AS
    (
        SELECT app, response_id, argMax(team, order_of(occurred_at, event_id)) AS shown_to
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND status = 'ok'
            AND response_id != ''
            AND {whole:Bool} -- all calls are read for the coverage alone
        GROUP BY app, response_id
    ),
    rated AS
    (
        SELECT app, response_id, true AS has_thumb
        FROM latest
        WHERE response_id != ''
    )
SELECT
    team,
    app,
    sum(down) AS numerator,
    sum(thumb) AS denominator,
    sum(covered) AS extra_rated,
    sum(shown_once) AS extra_shown
FROM
(
    SELECT last.1 AS team, app, last.2 = 'down' AS down, 1 AS thumb, 0 AS covered, 0 AS shown_once FROM latest
    UNION ALL
    SELECT shown.shown_to, shown.app, 0, 0, rated.has_thumb, 1
    FROM shown
    LEFT JOIN rated ON shown.app = rated.app AND shown.response_id = rated.response_id
)
GROUP BY team, app

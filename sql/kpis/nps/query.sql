-- What people said when asked how likely they are to recommend an app (0 to 10). Of several answers of one person about
-- one app in the period the last one counts; an answer that names nobody counts by itself.
WITH
    latest AS
    (
        SELECT
            app,
            argMax((team, ifNull(score, 0)), (occurred_at, event_id)) AS last,
            -- The last of a person's answers, of all apps: there the person is counted once.
            max((occurred_at, event_id)) = max(max((occurred_at, event_id))) OVER (
                PARTITION BY user_id, if(user_id = '', any(event_id), toUInt128(0))
            ) AS once
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND kind = 'survey'
        GROUP BY app, user_id, if(user_id = '', event_id, toUInt128(0))
    )
SELECT
    last.1 AS team,
    app,
    toInt64(part_promoters) - toInt64(part_detractors) AS numerator,
    count() AS denominator,
    countIf(last.2 >= 9) AS part_promoters,
    countIf(last.2 IN (7, 8)) AS part_passives,
    countIf(last.2 <= 6) AS part_detractors,
    countIf(once AND last.2 >= 9) AS once_promoters,
    countIf(once AND last.2 IN (7, 8)) AS once_passives,
    countIf(once AND last.2 <= 6) AS once_detractors
FROM latest
GROUP BY team, app

-- Usage and feedback events that arrived more than a day after they happened, of all that happened in the period.
-- Cost events are left out: an invoice is late by nature.
SELECT
    team,
    countIf(late) AS numerator,
    count() AS denominator
FROM
(
    SELECT team, received_at > occurred_at + INTERVAL 1 DAY AS late
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT team, received_at > occurred_at + INTERVAL 1 DAY AS late
    FROM feedback FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)
GROUP BY team

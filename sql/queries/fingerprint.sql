-- What the events of each stretch of days [first, after) are, as two numbers that a new, corrected or deleted event
-- changes: how many there are, and a sum over their identities and versions. Uses and feedback lie on one day, a cost
-- on all that it bills.
SELECT first, after, sum(rows) AS rows, sum(versions) AS versions
FROM
(
    SELECT
        toDate32(occurred_at, {zone:String}) AS first,
        first + 1 AS after,
        count() AS rows,
        sum(cityHash64(event_id, ver)) AS versions
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    GROUP BY first
    UNION ALL
    SELECT toDate32(occurred_at, {zone:String}) AS first, first + 1 AS after, count(), sum(cityHash64(event_id, ver))
    FROM feedback FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    GROUP BY first
    UNION ALL
    SELECT period_start, period_end, count(), sum(cityHash64(event_id, ver))
    FROM cost FINAL
    WHERE tenant = {tenant:String}
        AND period_start < {after_day:Date32} AND period_end > {first_day:Date32}
    GROUP BY period_start, period_end
)
GROUP BY first, after

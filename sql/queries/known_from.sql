-- When the oldest usage or feedback event of a period happened. Without FINAL, which could only tell the versions of one
-- event apart: all of them happened. This is asked about years, so it does not read them: what happened before the
-- event with the first id has an id of before `id_skew_ms` after it, and ids are what the tables are ordered by.
WITH
    (
        SELECT occurred_at
        FROM usage
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        ORDER BY tenant, event_id
        LIMIT 1
    ) AS first_usage,
    (
        SELECT occurred_at
        FROM feedback
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        ORDER BY tenant, event_id
        LIMIT 1
    ) AS first_feedback,
    at -> bitShiftLeft(toUInt128(greatest(0, toUnixTimestamp64Milli(at)) + {id_skew_ms:UInt64} + 1), 80) AS id_after
SELECT min(oldest) AS oldest
FROM
(
    SELECT if(count() > 0, min(occurred_at), NULL) AS oldest
    FROM usage
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < id_after(assumeNotNull(first_usage))
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT if(count() > 0, min(occurred_at), NULL) AS oldest
    FROM feedback
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < id_after(assumeNotNull(first_feedback))
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)

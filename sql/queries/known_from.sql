-- When the oldest usage or feedback event of a period happened. Without FINAL, which could only tell the versions of one
-- event apart: all of them happened, and this is asked about years.
SELECT min(oldest) AS oldest
FROM
(
    SELECT if(count() > 0, min(occurred_at), NULL) AS oldest
    FROM usage
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT if(count() > 0, min(occurred_at), NULL) AS oldest
    FROM feedback
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)

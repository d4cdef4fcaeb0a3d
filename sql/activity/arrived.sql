-- Days of [from_, to_) of which a row was inserted at `since` or later, with the newest: what no look has noted yet.
SELECT start, max(inserted_at) AS newest
FROM
(
    SELECT roundDown(toUnixTimestamp(occurred_at), {edges:Array(UInt32)}) AS start, inserted_at
    FROM usage
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        AND inserted_at >= {since:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT roundDown(toUnixTimestamp(occurred_at), {edges:Array(UInt32)}), inserted_at
    FROM feedback
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        AND inserted_at >= {since:DateTime64(3, 'UTC')}
)
GROUP BY start

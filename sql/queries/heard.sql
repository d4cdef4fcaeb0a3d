-- When the newest usage or feedback event of a period happened, and when the last one of them was received.
SELECT max(newest) AS newest, max(received) AS received
FROM
(
    SELECT
        if(count() > 0, max(occurred_at), NULL) AS newest,
        if(count() > 0, max(received_at), NULL) AS received
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT
        if(count() > 0, max(occurred_at), NULL) AS newest,
        if(count() > 0, max(received_at), NULL) AS received
    FROM feedback FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)

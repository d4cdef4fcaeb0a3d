-- When the newest usage or feedback event of a period happened.
SELECT max(newest) AS newest
FROM
(
    SELECT if(count() > 0, max(occurred_at), NULL) AS newest
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT if(count() > 0, max(occurred_at), NULL) AS newest
    FROM feedback FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)

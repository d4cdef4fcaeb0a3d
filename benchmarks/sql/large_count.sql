-- The calls of a period, and nothing else about them.
SELECT count() AS events
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}

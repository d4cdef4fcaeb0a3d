-- Calls of a model, or of a cache in front of it, of any outcome.
SELECT
    team,
    app,
    count() AS numerator,
    countIf(intent = 'deliberate') AS extra_deliberate,
    countIf(intent != 'deliberate') AS extra_automatic,
    countIf(status = 'error') AS extra_errors,
    countIf(cache_hit) AS extra_cache_hits
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
GROUP BY team, app

-- Tokens that the provider's cache was asked for and gave, by what decides their price: provider, model, tier and day.
SELECT
    team,
    app,
    provider,
    model,
    service_tier AS tier,
    toDate(occurred_at, {zone:String}) AS day,
    toInt64(0) AS numerator,
    sum(toInt64(input_cache_read_tokens)) AS extra_read_tokens,
    sum(toInt64(input_cache_write_tokens)) AS extra_write_tokens,
    sum(toInt64(ifNull(input_uncached_tokens, 0))) AS extra_uncached_tokens
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    AND NOT cache_hit
GROUP BY team, app, provider, model, tier, day

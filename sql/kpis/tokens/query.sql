-- Tokens in and out. The five parts are disjoint (cached tokens are not also in the uncached ones, reasoning is not
-- also in the visible output), so they add up to the inclusive totals.
SELECT
    team,
    app,
    extra_input + extra_output AS numerator,
    countIf(input_uncached_tokens IS NULL) AS excluded_calls_without_input,
    countIf(output_visible_tokens IS NULL) AS excluded_calls_without_output,
    extra_input_uncached + extra_input_cache_read + extra_input_cache_write AS extra_input,
    extra_output_visible + extra_output_reasoning AS extra_output,
    sum(toInt64(ifNull(input_uncached_tokens, 0))) AS extra_input_uncached,
    sum(toInt64(input_cache_read_tokens)) AS extra_input_cache_read,
    sum(toInt64(input_cache_write_tokens)) AS extra_input_cache_write,
    sum(toInt64(ifNull(output_visible_tokens, 0))) AS extra_output_visible,
    sum(toInt64(output_reasoning_tokens)) AS extra_output_reasoning
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
GROUP BY team, app

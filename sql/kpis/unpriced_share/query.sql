-- Tokens of calls whose price is not known, of all tokens.
SELECT
    team,
    app,
    sumIf(tokens, unpriced) AS numerator,
    sum(tokens) AS denominator,
    countIf(unpriced AND uncounted) AS excluded_unpriced_calls_without_counts,
    countIf(unpriced) AS extra_unpriced_calls,
    count() AS extra_calls
FROM
(
    SELECT
        team,
        app,
        cost_nano IS NULL AS unpriced,
        input_uncached_tokens IS NULL OR output_visible_tokens IS NULL AS uncounted,
        toInt64(ifNull(input_uncached_tokens, 0) + input_cache_read_tokens + input_cache_write_tokens
            + ifNull(output_visible_tokens, 0) + output_reasoning_tokens) AS tokens
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)
GROUP BY team, app

SELECT
    team,
    app,
    sum(unpriced_tokens) AS numerator,
    sum(input_uncached + input_cache_read + input_cache_write + output_visible + output_reasoning) AS denominator,
    sum(unpriced_calls_without_counts) AS excluded_unpriced_calls_without_counts,
    sum(unpriced_calls) AS extra_unpriced_calls,
    sum(calls) AS extra_calls
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String}
    AND day >= {first_day:Date} AND day < {after_day:Date}
    AND generation IN {generations:Array(UInt64)}
    AND calls > 0
GROUP BY team, app

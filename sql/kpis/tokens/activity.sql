SELECT
    team,
    app,
    extra_input + extra_output AS numerator,
    sum(calls_without_input) AS excluded_calls_without_input,
    sum(calls_without_output) AS excluded_calls_without_output,
    extra_input_uncached + extra_input_cache_read + extra_input_cache_write AS extra_input,
    extra_output_visible + extra_output_reasoning AS extra_output,
    sum(input_uncached) AS extra_input_uncached,
    sum(input_cache_read) AS extra_input_cache_read,
    sum(input_cache_write) AS extra_input_cache_write,
    sum(output_visible) AS extra_output_visible,
    sum(output_reasoning) AS extra_output_reasoning
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String}
    AND day >= {first_day:Date} AND day < {after_day:Date}
    AND generation IN {generations:Array(UInt64)}
    AND calls > 0
GROUP BY team, app

SELECT
    team,
    app,
    sum(calls) AS numerator,
    sum(deliberate) AS extra_deliberate,
    sum(calls) - sum(deliberate) AS extra_automatic,
    sum(errors) AS extra_errors,
    sum(cache_hits) AS extra_cache_hits
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String}
    AND day >= {first_day:Date} AND day < {after_day:Date}
    AND generation IN {generations:Array(UInt64)}
    AND calls > 0
GROUP BY team, app

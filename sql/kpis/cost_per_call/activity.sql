SELECT
    team,
    app,
    sum(known_nano) AS numerator,
    sum(calls) - sum(unpriced_calls) AS denominator,
    sum(unpriced_calls) AS excluded_unpriced_calls
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String}
    AND day >= {first_day:Date} AND day < {after_day:Date}
    AND generation IN {generations:Array(UInt64)}
    AND calls > 0
GROUP BY team, app

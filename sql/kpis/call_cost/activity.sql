SELECT
    team,
    app,
    use_case,
    model,
    sum(known_nano) AS numerator,
    sum(unpriced_calls) AS excluded_unpriced_calls,
    sum(calls) AS extra_calls
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String}
    AND day >= {first_day:Date} AND day < {after_day:Date}
    AND generation IN {generations:Array(UInt64)}
    AND calls > 0
GROUP BY team, app, use_case, model

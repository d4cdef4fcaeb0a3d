SELECT
    team,
    app,
    sum(unauthorised_nano) AS numerator,
    sum(known_nano) AS denominator,
    sum(unpriced_calls) AS excluded_unpriced_calls,
    sum(unpriced_unauthorised_calls) AS excluded_unpriced_unauthorised_calls,
    sum(unauthorised_calls) AS extra_unauthorised_calls,
    sum(calls) AS extra_calls,
    sum(unpriced_unauthorised_upper_nano) AS extra_unpriced_unauthorised_upper_nano
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String}
    AND day >= {first_day:Date} AND day < {after_day:Date}
    AND generation IN {generations:Array(UInt64)}
    AND calls > 0
GROUP BY team, app

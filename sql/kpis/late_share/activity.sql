SELECT
    team,
    app,
    sum(late_from_sdk) AS numerator,
    sum(events_from_sdk) AS denominator,
    sum(events_not_from_sdk) AS excluded_not_from_sdk
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String}
    AND day >= {first_day:Date} AND day < {after_day:Date}
    AND generation IN {generations:Array(UInt64)}
GROUP BY team, app

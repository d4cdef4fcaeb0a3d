-- People who used an app on purpose, on the roster or not, each under one team: the roster's on the last day of
-- the period, else the one of the latest call.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    people AS
    (
        -- Where each person is on the last day of the period.
        SELECT user_id, any(team) AS home, true AS on_roster
        FROM roster FINAL
        WHERE tenant = {tenant:String}
            AND generation = (
                SELECT generation FROM generations FINAL
                WHERE tenant = {tenant:String} AND name = 'roster'
            )
            AND joined <= {last_day:Date} AND (left IS NULL OR left > {last_day:Date})
        GROUP BY user_id
    ),
    users AS
    (
        SELECT user_id, argMax(team, order_of(last_at, last_id)) AS last_team, sum(deliberate) AS calls
        FROM activity FINAL
        WHERE tenant = {tenant:String} AND zone = {zone:String}
            AND day >= {first_day:Date} AND day < {after_day:Date}
            AND generation IN {generations:Array(UInt64)}
            AND deliberate > 0
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
        GROUP BY user_id, if(user_id = '', team, '')
    )
SELECT
    if(people.on_roster, people.home, users.last_team) AS team,
    countIf(users.user_id != '') AS numerator,
    sumIf(users.calls, users.user_id = '') AS excluded_calls_without_user,
    countIf(users.user_id != '' AND NOT people.on_roster) AS extra_off_roster,
    sumIf(users.calls, users.user_id != '') AS extra_calls
FROM users
LEFT JOIN people ON users.user_id = people.user_id
GROUP BY team

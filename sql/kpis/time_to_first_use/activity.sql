-- How long people have a seat before they first use an app: one row a number of days, of those whose wait ended then,
-- and of those who were last seen then still waiting.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    people AS
    (
        -- Everybody who has had a seat: from when, until when (exclusive), and in which team it was last.
        SELECT
            user_id,
            argMax(team, joined) AS home,
            min(joined) AS first_seat,
            argMax(gone, joined) AS seat_until,
            true AS had_seat
        FROM
        (
            SELECT user_id, team, joined, least(ifNull(left, {after_day:Date}), {after_day:Date}) AS gone
            FROM roster FINAL
            WHERE tenant = {tenant:String}
                AND generation = (
                    SELECT generation FROM generations FINAL
                    WHERE tenant = {tenant:String} AND name = 'roster'
                )
                AND seat
                AND joined < {after_day:Date}
        )
        GROUP BY user_id
    ),
    users AS
    (
        -- One row a user with the days of use; calls that name no user stay apart by team.
        SELECT
            user_id,
            argMaxIf(team, order_of(last_at, last_id), deliberate > 0) AS last_team,
            sum(deliberate) AS uses,
            min(day) AS heard_on,
            groupUniqArrayIf(day, deliberate > 0) AS days
        FROM activity FINAL
        WHERE tenant = {tenant:String} AND zone = {zone:String}
            AND day >= {window_first_day:Date} AND day < {after_day:Date}
            AND generation IN {generations:Array(UInt64)}
            AND calls > 0
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
        GROUP BY user_id, if(user_id = '', team, '')
    ),
    everybody AS
    (
        SELECT
            if(people.had_seat, people.home, users.last_team) AS team,
            people.had_seat AS had_seat,
            people.first_seat AS first_seat,
            people.seat_until AS seat_until,
            users.days AS days,
            users.user_id AS user,
            if(users.user_id = '', users.uses, 0) AS nameless_calls,
            minIf(users.heard_on, users.heard_on > toDate(0)) OVER () AS heard_on
        FROM people
        FULL JOIN users ON people.user_id = users.user_id
    ),
    observed AS
    (
        SELECT
            team,
            had_seat,
            seat_until,
            -- From when on use would have been heard of: the first day with a call of anybody, or the window's first
            -- day if its first week has one, as the data are then older than the window.
            if(heard_on < addDays({window_first_day:Date}, 7), {window_first_day:Date}, heard_on) AS origin,
            greatest(first_seat, origin) AS start,
            had_seat AND start < seat_until AND (start = first_seat OR origin > {window_first_day:Date}) AS counted,
            arrayFilter(day -> day >= start AND day < seat_until, days) AS days_of_use,
            counted AND notEmpty(days_of_use) AS used,
            if(used, arrayMin(days_of_use), toDate(0)) AS first_use,
            user != '' AND notEmpty(days) AND NOT had_seat AS without_seat,
            nameless_calls
        FROM everybody
    )
SELECT
    team,
    if(
        counted,
        toString(if(used, dateDiff('day', start, first_use), dateDiff('day', start, seat_until) - 1)),
        ''
    ) AS day,
    countIf(used) AS numerator,
    countIf(counted) AS denominator,
    countIf(used) AS part_used,
    countIf(counted AND NOT used AND seat_until = {after_day:Date}) AS part_waiting,
    countIf(counted AND NOT used AND seat_until < {after_day:Date}) AS part_gone,
    countIf(had_seat AND NOT counted) AS excluded_not_observed,
    countIf(without_seat) AS excluded_without_seat,
    sum(nameless_calls) AS excluded_calls_without_user
FROM observed
GROUP BY team, day

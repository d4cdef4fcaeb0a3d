-- Of the people whose first 28 days with a seat ended in the period: who used an app on at least three of these days.
WITH
    people AS
    (
        -- Whose 28th day with a seat falls in the period, and the team of that day; the last one if there was no seat then.
        SELECT
            user_id,
            min(joined) AS first_seat,
            addDays(first_seat, 27) AS last_of_28,
            arrayFirst(
                stay -> stay.1 <= last_of_28 AND stay.2 > last_of_28,
                groupArray((joined, gone, team))
            ).3 AS team_then,
            team_then != '' AS kept,
            if(kept, team_then, argMax(team, joined)) AS home,
            true AS due
        FROM
        (
            SELECT user_id, team, joined, ifNull(left, {after_day:Date}) AS gone
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
        HAVING last_of_28 >= {first_day:Date} AND last_of_28 < {after_day:Date}
    ),
    users AS
    (
        -- One row a user with the days of use; calls that name no user stay apart by team.
        SELECT
            user_id,
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
            people.home AS team,
            people.due AS due,
            people.kept AS kept,
            people.first_seat AS first_seat,
            arrayCount(day -> day >= people.first_seat AND day <= people.last_of_28, users.days) AS days_of_use,
            minIf(users.heard_on, users.heard_on > toDate(0)) OVER () AS heard_on
        FROM people
        FULL JOIN users ON people.user_id = users.user_id
    ),
    observed AS
    (
        SELECT
            team,
            kept,
            days_of_use,
            -- From when on use would have been heard of: the first day with a call of anybody, or the window's first
            -- day if its first week has one, as the data are then older than the window.
            if(heard_on < addDays({window_first_day:Date}, 7), {window_first_day:Date}, heard_on) AS origin,
            first_seat >= origin AS known
        FROM everybody
        WHERE due
    )
SELECT
    team,
    countIf(kept AND known AND days_of_use >= 3) AS numerator,
    countIf(kept AND known) AS denominator,
    countIf(kept AND known AND days_of_use >= 3) AS part_activated,
    countIf(kept AND known AND days_of_use > 0 AND days_of_use < 3) AS part_tried,
    countIf(kept AND known AND days_of_use = 0) AS part_unused,
    countIf(NOT kept) AS excluded_seat_lost,
    countIf(kept AND NOT known) AS excluded_before_data
FROM observed
GROUP BY team

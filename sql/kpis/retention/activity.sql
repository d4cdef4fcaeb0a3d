-- Who comes back: people by whole weeks since their first use, in which of these weeks they used an app again.
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
            argMin(wave, joined) AS wave,
            true AS had_seat
        FROM
        (
            SELECT user_id, team, wave, joined, least(ifNull(left, {after_day:Date}), {after_day:Date}) AS gone
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
            formatDateTime(people.first_seat, '%Y-%m') AS cohort,
            people.wave AS wave,
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
            if(had_seat, cohort, '') AS cohort,
            wave,
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
    ),
    weekly AS
    (
        SELECT
            team,
            cohort,
            wave,
            had_seat,
            counted,
            used,
            without_seat,
            nameless_calls,
            if(used, least(intDiv(dateDiff('day', first_use, seat_until), 7), 13), 0) AS whole_weeks,
            arrayMap(day -> intDiv(dateDiff('day', first_use, day), 7), days_of_use) AS weeks_of_use,
            -- A row a week that is over, and one (-1) of the person.
            arrayJoin(range(-1, whole_weeks)) AS nth
        FROM observed
    )
SELECT
    team,
    cohort,
    wave,
    if(nth < 0, '', toString(nth)) AS week,
    countIf(nth >= 0 AND has(weeks_of_use, nth)) AS numerator,
    countIf(nth >= 0) AS denominator,
    countIf(nth = 4 AND has(weeks_of_use, 4)) AS part_returned,
    countIf(nth = 4 AND NOT has(weeks_of_use, 4)) AS part_away,
    countIf(nth < 0 AND had_seat AND NOT counted) AS excluded_not_observed,
    countIf(nth < 0 AND counted AND NOT used) AS excluded_never_used,
    countIf(nth < 0 AND used AND whole_weeks = 0) AS excluded_first_week_not_over,
    countIf(nth < 0 AND without_seat) AS excluded_without_seat,
    sumIf(nameless_calls, nth < 0) AS excluded_calls_without_user,
    countIf(nth < 0 AND whole_weeks > 0) AS extra_users
FROM weekly
GROUP BY team, cohort, wave, week

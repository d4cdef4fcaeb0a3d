-- How firm the habit is: people with a seat by how many of the last 4 weeks they used an app in, and how often.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    -- How many weeks before the one that ends with the period.
    day -> intDiv(dateDiff('day', day, {last_day:Date}), 7) AS weeks_ago,
    people AS
    (
        -- Where each person is on the last day of the period, and since when the person is here at all.
        SELECT
            user_id,
            anyIf(team, here) AS home,
            anyIf(seat, here) AS seated,
            min(joined) AS first_joined,
            minIf(joined, seat) AS first_seat,
            true AS on_roster
        FROM
        (
            SELECT user_id, team, seat, joined,
                joined <= {last_day:Date} AND (left IS NULL OR left > {last_day:Date}) AS here
            FROM roster FINAL
            WHERE tenant = {tenant:String}
                AND generation = (
                    SELECT generation FROM generations FINAL
                    WHERE tenant = {tenant:String} AND name = 'roster'
                )
        )
        GROUP BY user_id
        HAVING countIf(here) > 0
    ),
    users AS
    (
        -- One row a user; calls that name no user stay apart by team.
        SELECT
            user_id,
            argMax(team, order_of(last_at, last_id)) AS last_team,
            sum(deliberate) AS calls,
            groupBitOr(bitShiftLeft(toUInt64(1), weeks_ago(day))) AS weeks
        FROM activity FINAL
        WHERE tenant = {tenant:String} AND zone = {zone:String}
            AND day >= {window_first_day:Date} AND day < {after_day:Date}
            AND generation IN {generations:Array(UInt64)}
            AND deliberate > 0
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
            AND day >= subtractDays({after_day:Date}, 28)
        GROUP BY user_id, if(user_id = '', team, '')
    ),
    everybody AS
    (
        SELECT
            if(people.on_roster, people.home, users.last_team) AS team,
            people.on_roster AS on_roster,
            people.seated AS seated,
            greatest(addDays(people.first_joined, {grace_days:UInt16}), people.first_seat) AS eligible_since,
            people.seated AND addDays(people.first_joined, {grace_days:UInt16}) <= {after_day:Date} AS eligible,
            eligible AND eligible_since > subtractDays({after_day:Date}, 28) AS short_history,
            users.user_id != '' AS used,
            if(used, users.calls, 0) AS calls,
            eligible AND bitCount(users.weeks) >= 4 AS habit,
            if(users.user_id = '', users.calls, 0) AS nameless_calls
        FROM people
        FULL JOIN users ON people.user_id = users.user_id
    )
SELECT
    team,
    countIf(habit) AS numerator,
    countIf(eligible) AS denominator,
    countIf(habit AND calls >= 60) AS part_power,
    countIf(habit AND calls < 60) AS part_habitual,
    countIf(eligible AND NOT habit AND calls >= 4) AS part_novice,
    countIf(eligible AND NOT habit AND calls > 0 AND calls < 4) AS part_low,
    countIf(eligible AND calls = 0) AS part_none,
    countIf(seated AND NOT eligible) AS excluded_in_grace,
    countIf(on_roster AND NOT seated) AS excluded_without_seat,
    countIf(used AND NOT on_roster) AS excluded_off_roster,
    sum(nameless_calls) AS excluded_calls_without_user,
    countIf(short_history) AS extra_short_history
FROM everybody
GROUP BY team

-- Seats by whether anybody used them in the last four weeks, and what the idle ones cost a month.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    people AS
    (
        -- Where each person is on the last day, and whether the person had a seat four weeks before, too.
        SELECT
            user_id,
            anyIf(team, here) AS home,
            anyIf(seat, here) AS seated,
            anyIf(seat, here_before) AS seated_before,
            true AS on_roster
        FROM
        (
            SELECT user_id, team, seat,
                joined <= {last_day:Date} AND (left IS NULL OR left > {last_day:Date}) AS here,
                joined <= subtractDays({after_day:Date}, 28)
                    AND (left IS NULL OR left > subtractDays({after_day:Date}, 28)) AS here_before
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
        SELECT user_id, argMax(team, order_of(occurred_at, event_id)) AS last_team, countIf(toUnixTimestamp(occurred_at) >= {week_edges:Array(UInt32)}[-4]) AS recent_calls
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {window_id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {window_from:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND intent = 'deliberate'
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
        GROUP BY user_id, if(user_id = '', team, '')
    ),
    everybody AS
    (
        SELECT
            if(people.on_roster, people.home, users.last_team) AS team,
            people.on_roster AS on_roster,
            people.seated AS seated,
            users.user_id != '' AS used_ever,
            used_ever AND users.recent_calls > 0 AS used,
            people.seated AND people.seated_before AND NOT used AS idle,
            if(users.user_id = '', users.recent_calls, 0) AS nameless_calls
        FROM people
        FULL JOIN users ON people.user_id = users.user_id
    )
SELECT
    team,
    countIf(seated AND used) AS numerator,
    countIf(seated) AS denominator,
    countIf(seated AND used) AS part_used,
    countIf(idle) AS part_idle,
    countIf(seated AND NOT used AND NOT idle) AS part_recent,
    countIf(on_roster AND NOT seated) AS excluded_without_seat,
    countIf(used AND NOT on_roster) AS excluded_off_roster,
    sum(nameless_calls) AS excluded_calls_without_user,
    countIf(idle AND NOT used_ever) AS extra_never_used,
    countIf(idle AND {seat_price_nano:Nullable(Int64)} IS NOT NULL) AS extra_idle_priced,
    countIf(idle) * toInt128(ifNull({seat_price_nano:Nullable(Int64)}, 0)) AS extra_idle_cost_nano
FROM everybody
GROUP BY team

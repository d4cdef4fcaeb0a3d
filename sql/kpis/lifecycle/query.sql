-- Where each person with a seat stands between never and always, on the period's last day, and where a week earlier.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    -- How many weeks before the one that ends with the period.
    moment -> length({week_edges:Array(UInt32)})
        - indexOf({week_edges:Array(UInt32)}, roundDown(toUnixTimestamp(moment), {week_edges:Array(UInt32)}))
        AS weeks_ago,
    -- The state of a person by the weeks with use, as bits: the lowest is the week that ends with the period.
    weeks -> multiIf(
        weeks = 0, 'never',
        weeks = 1, 'new',
        bitAnd(weeks, 0b11) = 0b11, 'retained',
        bitTest(weeks, 0), 'reactivated',
        bitAnd(weeks, 0b1110) != 0, 'at_risk',
        'lapsed'
    ) AS state_of,
    people AS
    (
        SELECT
            user_id,
            countIf(here) > 0 AS on_roster,
            anyIf(seat, here) AS seated,
            anyIf(seat, here_before) AS seated_before,
            if(on_roster, anyIf(team, here), anyIf(team, here_before)) AS home
        FROM
        (
            SELECT user_id, team, seat,
                joined <= {last_day:Date} AND (left IS NULL OR left > {last_day:Date}) AS here,
                joined <= subtractDays({last_day:Date}, 7)
                    AND (left IS NULL OR left > subtractDays({last_day:Date}, 7)) AS here_before
            FROM roster FINAL
            WHERE tenant = {tenant:String}
                AND generation = (
                    SELECT generation FROM generations FINAL
                    WHERE tenant = {tenant:String} AND name = 'roster'
                )
        )
        GROUP BY user_id
        HAVING on_roster OR seated_before
    ),
    users AS
    (
        -- One row a user; calls that name no user stay apart by team.
        SELECT
            user_id,
            argMax(team, order_of(occurred_at, event_id)) AS last_team,
            countIf(weeks_ago(occurred_at) = 0) AS calls,
            groupBitOr(bitShiftLeft(toUInt64(1), weeks_ago(occurred_at))) AS weeks
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {window_id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {window_from:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND intent = 'deliberate'
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
            AND toUnixTimestamp(occurred_at) >= {week_edges:Array(UInt32)}[-53]
        GROUP BY user_id, if(user_id = '', team, '')
    ),
    everybody AS
    (
        SELECT
            if(people.user_id != '', people.home, users.last_team) AS team,
            people.on_roster AS on_roster,
            people.seated AS seated,
            people.seated_before AS seated_before,
            -- Each state looks back on 52 weeks of its own.
            state_of(bitAnd(users.weeks, bitShiftLeft(toUInt64(1), 52) - 1)) AS state,
            multiIf(
                people.seated_before, state_of(bitShiftRight(users.weeks, 1)),
                people.seated, 'absent',
                ''
            ) AS before,
            users.user_id != '' AND users.calls > 0 AS used,
            if(users.user_id = '', users.calls, 0) AS nameless_calls
        FROM people
        FULL JOIN users ON people.user_id = users.user_id
    )
SELECT
    team,
    before,
    countIf(seated AND state IN ('new', 'retained', 'reactivated')) AS numerator,
    countIf(seated) AS denominator,
    countIf(seated AND state = 'new') AS part_new,
    countIf(seated AND state = 'retained') AS part_retained,
    countIf(seated AND state = 'reactivated') AS part_reactivated,
    countIf(seated AND state = 'at_risk') AS part_at_risk,
    countIf(seated AND state = 'lapsed') AS part_lapsed,
    countIf(seated AND state = 'never') AS part_never,
    countIf(on_roster AND NOT seated) AS excluded_without_seat,
    countIf(used AND NOT on_roster) AS excluded_off_roster,
    sum(nameless_calls) AS excluded_calls_without_user,
    countIf(seated_before AND NOT seated) AS extra_gone
FROM everybody
GROUP BY team, before

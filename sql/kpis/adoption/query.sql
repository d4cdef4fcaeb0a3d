-- People with a seat who used an app on purpose, of all people with a seat. The roster makes the denominator,
-- so a person without a single event is in it.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    people AS
    (
        -- Where each person is on the last day of the period, and since when the person is here at all.
        SELECT
            user_id,
            anyIf(team, here) AS home,
            anyIf(seat, here) AS seated,
            min(joined) AS first_joined,
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
        -- Deliberate use of any outcome: who asks and gets an error has used the app. One row a user; calls that
        -- name no user stay apart by team.
        SELECT user_id, argMax(team, order_of(occurred_at, event_id)) AS last_team, count() AS calls
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
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
            people.seated AND addDays(people.first_joined, {grace_days:UInt16}) <= {after_day:Date} AS eligible,
            users.user_id != '' AS used,
            if(users.user_id = '', users.calls, 0) AS nameless_calls
        FROM people
        FULL JOIN users ON people.user_id = users.user_id
    )
SELECT
    team,
    countIf(eligible AND used) AS numerator,
    countIf(eligible) AS denominator,
    countIf(seated AND NOT eligible) AS excluded_in_grace,
    countIf(on_roster AND NOT seated) AS excluded_without_seat,
    countIf(used AND NOT on_roster) AS excluded_off_roster,
    sum(nameless_calls) AS excluded_calls_without_user,
    countIf(seated) AS extra_seats
FROM everybody
GROUP BY team

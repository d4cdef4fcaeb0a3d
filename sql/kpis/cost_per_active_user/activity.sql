-- What the calls of a team cost for each of its active people. Money stays with the team of the call; a person counts
-- once, for the roster's team on the last day, else for the team of the latest call: as in "active_users".
WITH
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
    cells AS
    (
        SELECT team, user_id, deliberate, known_nano, unpriced_calls, last_at, last_id
        FROM activity FINAL
        WHERE tenant = {tenant:String} AND zone = {zone:String}
            AND day >= {first_day:Date} AND day < {after_day:Date}
            AND generation IN {generations:Array(UInt64)}
            AND calls > 0
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
    ),
    users AS
    (
        SELECT user_id, argMax(cells.team, (last_at, last_id)) AS last_team
        FROM cells
        WHERE deliberate > 0 AND user_id != ''
        GROUP BY user_id
    )
SELECT
    team,
    sum(nano) AS numerator,
    sum(active) AS denominator,
    sum(unpriced) AS excluded_unpriced_calls
FROM
(
    SELECT cells.team AS team, known_nano AS nano, 0 AS active, unpriced_calls AS unpriced
    FROM cells
    UNION ALL
    SELECT if(people.on_roster, people.home, users.last_team), toInt128(0), 1, 0
    FROM users
    LEFT JOIN people ON users.user_id = people.user_id
)
GROUP BY team

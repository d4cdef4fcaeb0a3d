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
        SELECT team, user_id, intent, cost_nano, occurred_at, event_id
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
    ),
    users AS
    (
        SELECT user_id, argMax(cells.team, (occurred_at, event_id)) AS last_team
        FROM cells
        WHERE intent = 'deliberate' AND user_id != ''
        GROUP BY user_id
    )
SELECT
    team,
    sum(nano) AS numerator,
    sum(active) AS denominator,
    sum(unpriced) AS excluded_unpriced_calls
FROM
(
    SELECT cells.team AS team, ifNull(toInt128(cost_nano), 0) AS nano, 0 AS active, cost_nano IS NULL AS unpriced
    FROM cells
    UNION ALL
    SELECT if(people.on_roster, people.home, users.last_team), toInt128(0), 1, 0
    FROM users
    LEFT JOIN people ON users.user_id = people.user_id
)
GROUP BY team

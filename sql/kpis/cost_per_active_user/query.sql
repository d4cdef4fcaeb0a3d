-- What the calls of a team cost for each of its active people. Money stays with the team of the call, whoever made it; a
-- person counts once, for the roster's team on the last day, if eligible and active: as in "adoption".
WITH
    people AS
    (
        -- Where each person is on the last day of the period, and since when the person is here at all.
        SELECT
            user_id,
            anyIf(team, here) AS home,
            anyIf(seat, here) AS seated,
            min(joined) AS first_joined
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
    cells AS
    (
        SELECT team, user_id, intent, cost_nano
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
    ),
    users AS
    (
        SELECT DISTINCT user_id
        FROM cells
        WHERE intent = 'deliberate' AND user_id != ''
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
    SELECT people.home, toInt128(0), 1, 0
    FROM people
    INNER JOIN users ON people.user_id = users.user_id
    WHERE people.seated AND addDays(people.first_joined, {grace_days:UInt16}) <= {after_day:Date}
)
GROUP BY team

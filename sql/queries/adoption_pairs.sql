-- Adoption of two periods over the same people: one row for each pair of teams (before, now), '' for "not eligible
-- then". A group of teams adds up the rows that begin in it, that end in it, and, for people in both, that do both.
WITH
    people AS
    (
        SELECT
            user_id,
            if(
                anyIf(seat, here_before)
                    AND addDays(min(joined), {grace_days:UInt16}) <= {before_after_day:Date},
                anyIf(team, here_before),
                ''
            ) AS team_before,
            if(
                anyIf(seat, here) AND addDays(min(joined), {grace_days:UInt16}) <= {after_day:Date},
                anyIf(team, here),
                ''
            ) AS team_now
        FROM
        (
            SELECT user_id, team, seat, joined,
                joined <= {before_last_day:Date} AND (left IS NULL OR left > {before_last_day:Date})
                    AS here_before,
                joined <= {last_day:Date} AND (left IS NULL OR left > {last_day:Date}) AS here
            FROM roster FINAL
            WHERE tenant = {tenant:String}
                AND generation = (
                    SELECT generation FROM generations FINAL
                    WHERE tenant = {tenant:String} AND name = 'roster'
                )
        )
        GROUP BY user_id
        HAVING team_before != '' OR team_now != ''
    ),
    users AS
    (
        SELECT
            user_id,
            countIf(occurred_at < {before_to:DateTime64(3, 'UTC')}) > 0 AS used_before,
            countIf(occurred_at >= {now_from:DateTime64(3, 'UTC')}) > 0 AS used_now
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND intent = 'deliberate'
            AND user_id != ''
            AND (empty({apps:Array(String)}) OR app IN {apps:Array(String)})
        GROUP BY user_id
    )
SELECT
    team_before,
    team_now,
    count() AS people,
    countIf(users.used_before AND NOT users.used_now) AS only_before,
    countIf(users.used_now AND NOT users.used_before) AS only_now,
    countIf(users.used_before AND users.used_now) AS both
FROM people
LEFT JOIN users ON people.user_id = users.user_id
GROUP BY team_before, team_now

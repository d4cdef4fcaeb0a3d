-- What is known of each local day that begins at one of `edges` (Unix seconds, ascending; the last one ends the last
-- day): when its newest event was inserted, and its newest published build. Days without both have no row. The row of
-- start 0 says until when that is known: from the same read of the same table, so that it never promises more.
SELECT
    start,
    max(changed) AS newest,
    max(built) AS build,
    build.1 AS generation,
    build.2 AS ends,
    build.3 AS snapshot_at,
    build.4 AS calls,
    build.5 AS cells
FROM
(
    SELECT
        if(quarter = 0, 0, roundDown(toUnixTimestamp(quarter), {edges:Array(UInt32)})) AS start,
        newest AS changed,
        (toUInt64(0), toUInt32(0), toDateTime64(0, 6, 'UTC'), toUInt64(0), toUInt64(0)) AS built
    FROM activity_changes
    WHERE tenant = {tenant:String}
        AND (quarter = 0 OR (quarter >= {from_:DateTime('UTC')} AND quarter < {to_:DateTime('UTC')}))
    UNION ALL
    SELECT
        toUnixTimestamp(starts_at),
        toDateTime64(0, 3, 'UTC'),
        (generation, toUnixTimestamp(ends_at), snapshot_at, calls, cells)
    FROM activity_builds
    WHERE tenant = {tenant:String} AND zone = {zone:String}
        AND day >= {first_day:Date} AND day < {after_day:Date}
        AND published
)
GROUP BY start
ORDER BY start

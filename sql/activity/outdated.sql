-- Builds that nobody reads any more: followed by one that was published an hour ago or earlier, or begun an hour ago
-- and more and never published.
SELECT zone, day, generation
FROM
(
    SELECT
        zone,
        day,
        generation,
        published,
        written_at,
        min(if(published, written_at, toDateTime64('2200-01-01 00:00:00', 3, 'UTC'))) OVER newer AS followed_at,
        count() OVER newer > 0 AS is_followed
    FROM
    (
        SELECT zone, day, generation, max(builds.published) AS published, max(builds.written_at) AS written_at
        FROM activity_builds AS builds
        WHERE tenant = {tenant:String}
        GROUP BY zone, day, generation
    )
    WINDOW newer AS (
        PARTITION BY zone, day ORDER BY generation DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
WHERE (is_followed AND followed_at <= now64(3) - INTERVAL 1 HOUR)
    OR (NOT published AND written_at <= now64(3) - INTERVAL 1 HOUR)
ORDER BY zone, day, generation
LIMIT {limit:UInt32}

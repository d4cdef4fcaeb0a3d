-- Publish a build: from now on its day is read from it. One that took too long is not published: what it wrote may
-- already be taken for the leavings of a killed one.
INSERT INTO activity_builds
    (tenant, zone, day, generation, published, starts_at, ends_at, snapshot_at, calls, cells)
SELECT
    {tenant:String}, {zone:String}, {day:Date}, {generation:UInt64}, 1,
    {from_:DateTime('UTC')}, {to_:DateTime('UTC')}, fromUnixTimestamp64Micro({snapshot_us:Int64}, 'UTC'),
    sum(calls), count()
FROM activity FINAL
WHERE tenant = {tenant:String} AND zone = {zone:String} AND day = {day:Date} AND generation = {generation:UInt64}
HAVING fromUnixTimestamp64Micro({snapshot_us:Int64}, 'UTC') > now64(6) - INTERVAL 30 MINUTE

-- Say that a build begins, so that what it writes can be found and removed if it is never published.
INSERT INTO activity_builds (tenant, zone, day, generation, published, starts_at, ends_at, snapshot_at)
SELECT
    {tenant:String}, {zone:String}, {day:Date}, {generation:UInt64}, 0,
    {from_:DateTime('UTC')}, {to_:DateTime('UTC')}, fromUnixTimestamp64Micro({snapshot_us:Int64}, 'UTC')

-- What became of a build.
SELECT max(published) AS published, max(calls) AS calls, max(cells) AS cells
FROM activity_builds
WHERE tenant = {tenant:String} AND zone = {zone:String} AND day = {day:Date} AND generation = {generation:UInt64}

-- What exists under given ids, in whatever table. Not FINAL: all rows of an id have the same content, and the
-- highest version is wanted.

SELECT event_id, content_hash, ver
FROM
(
    SELECT tenant, event_id, content_hash, ver FROM usage
    UNION ALL
    SELECT tenant, event_id, content_hash, ver FROM feedback
    UNION ALL
    SELECT tenant, event_id, content_hash, ver FROM cost
)
WHERE tenant = {tenant:String} AND event_id IN {ids:Array(UInt128)}

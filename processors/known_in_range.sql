-- What exists between two ids, in whatever table. Not FINAL: all rows of an id have the same content, and the
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
WHERE tenant = {tenant:String} AND event_id BETWEEN {first:UInt128} AND {last:UInt128}
LIMIT {limit:UInt64}

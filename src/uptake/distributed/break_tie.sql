-- Two workers wrote the same new id with other content at the same version: the row that counts now gets a version
-- above, so that whoever asks what is known under the id hears of that one and of no other. Rows are found by their id,
-- but for those of the records: none of these is older than `since`, or all of the table would be read.

INSERT INTO {table:Identifier}
SELECT * REPLACE (ver + 1 AS ver, now64(3, 'UTC') AS inserted_at)
FROM {table:Identifier} FINAL
WHERE (tenant, event_id) IN
(
    SELECT tenant, event_id
    FROM {table:Identifier}
    WHERE (tenant, event_id) IN
    (
        SELECT tenant, event_id
        FROM {table:Identifier}
        WHERE inserted_at >= {since:DateTime64(3, 'UTC')}
          AND log_topic = {topic:String} AND log_partition = {partition:Int32} AND log_offset IN {offsets:Array(Int64)}
    )
    GROUP BY tenant, event_id, ver
    HAVING uniqExact(content_hash) > 1
)
SETTINGS insert_deduplicate = 0, async_insert = 0

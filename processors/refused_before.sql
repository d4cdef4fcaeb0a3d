-- How many events were refused in a row in the records right before an offset, among the last `window` records. What an
-- operator let pass is no part of it: a run begins anew behind a permit.

WITH
    near AS
    (
        SELECT offset, accepted + duplicates AS good, greatest(rejected, malformed) AS refused
        FROM log_records FINAL
        WHERE topic = {topic:String} AND partition = {partition:Int32}
          AND offset < {before:Int64} AND offset >= {before:Int64} - {window:Int64}
          AND offset >=
          (
              SELECT max(before_offset)
              FROM log_permits
              WHERE topic = {topic:String} AND partition = {partition:Int32}
          )
    ),
    (SELECT maxOrNull(offset) FROM near WHERE good > 0) AS last_good
SELECT toUInt64(sum(refused)) AS refused
FROM near
WHERE offset > ifNull(last_good, -1)

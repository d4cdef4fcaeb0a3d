-- Records of a partition that brought new events, but for those that lack nothing (settle.sql).

SELECT
    offset,
    max(log_records.accepted) AS accepted,
    max(log_records.rejected) AS rejected,
    max(log_records.appended_at) AS appended_at
FROM log_records
WHERE topic = {topic:String} AND partition = {partition:Int32}
  AND offset >= {first:Int64} AND offset < {after:Int64}
GROUP BY offset
HAVING accepted > 0 AND max(log_records.settled) = 0

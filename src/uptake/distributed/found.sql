-- How many events that count came from each record of a stretch of a partition, none of which is older than `since`.

SELECT log_offset AS offset, count() AS found
FROM
(
    SELECT log_offset FROM usage FINAL
    WHERE inserted_at >= {since:DateTime64(3, 'UTC')}
      AND log_topic = {topic:String} AND log_partition = {partition:Int32}
      AND log_offset >= {first:Int64} AND log_offset < {after:Int64}
    UNION ALL
    SELECT log_offset FROM feedback FINAL
    WHERE inserted_at >= {since:DateTime64(3, 'UTC')}
      AND log_topic = {topic:String} AND log_partition = {partition:Int32}
      AND log_offset >= {first:Int64} AND log_offset < {after:Int64}
    UNION ALL
    SELECT log_offset FROM cost FINAL
    WHERE inserted_at >= {since:DateTime64(3, 'UTC')}
      AND log_topic = {topic:String} AND log_partition = {partition:Int32}
      AND log_offset >= {first:Int64} AND log_offset < {after:Int64}
)
GROUP BY offset
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 1

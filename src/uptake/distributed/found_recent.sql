-- How many events that count came in of late from each record. FINAL, because a row that lost against another of its id
-- is not what counts. An event whose winning row is older is left out here: whoever misses it looks closer (found.sql).

SELECT log_topic AS topic, log_partition AS partition, log_offset AS offset, count() AS found
FROM
(
    SELECT log_topic, log_partition, log_offset FROM usage FINAL
    WHERE inserted_at >= now64(3) - toIntervalSecond({seconds:UInt32}) AND log_topic IN {topics:Array(String)}
    UNION ALL
    SELECT log_topic, log_partition, log_offset FROM feedback FINAL
    WHERE inserted_at >= now64(3) - toIntervalSecond({seconds:UInt32}) AND log_topic IN {topics:Array(String)}
    UNION ALL
    SELECT log_topic, log_partition, log_offset FROM cost FINAL
    WHERE inserted_at >= now64(3) - toIntervalSecond({seconds:UInt32}) AND log_topic IN {topics:Array(String)}
)
GROUP BY topic, partition, offset
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 1

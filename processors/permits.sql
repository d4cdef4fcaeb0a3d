-- How far the refused events of each partition may go to the dead letters, by what operators allowed.

SELECT topic, partition, max(before_offset) AS before_offset
FROM log_permits
GROUP BY topic, partition
ORDER BY topic, partition

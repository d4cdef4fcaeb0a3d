-- The parts of a table that one file each is made of, and how many rows they hold (all versions of each event).
SELECT _partition_id AS partition, count() AS rows
FROM {table:Identifier}
GROUP BY partition
ORDER BY partition

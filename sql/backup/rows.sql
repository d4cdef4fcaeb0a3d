-- Rows of one part of a table as they are. Their place in a log means nothing beside another log, and when they were
-- inserted is for the server that takes them in to say.
SELECT * EXCEPT('^(log_topic|log_partition|log_offset|inserted_at)$')
FROM {table:Identifier}
WHERE _partition_id = {partition:String}

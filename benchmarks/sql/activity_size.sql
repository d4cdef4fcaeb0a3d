-- Rows and bytes on disk of a table's merged parts.
SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active

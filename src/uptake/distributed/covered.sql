-- Which offsets of a partition have a row, as few spans as hold them: a neighbour's offset grows with its rank.

SELECT min(offset) AS first, max(offset) + 1 AS after
FROM
(
    SELECT offset, offset - toInt64(row_number() OVER (ORDER BY offset)) AS island
    FROM
    (
        SELECT DISTINCT offset
        FROM log_records
        WHERE topic = {topic:String} AND partition = {partition:Int32}
          AND offset >= {first:Int64} AND offset < {after:Int64}
    )
)
GROUP BY island
ORDER BY first

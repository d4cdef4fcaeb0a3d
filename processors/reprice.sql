-- Rows of one tenant that occurred in [start, end), by rising identity in [first, last), a block at a time. Whole rows,
-- as a correction repeats everything that it does not correct; only when it was taken in, the server says anew.

SELECT * EXCEPT (inserted_at)
FROM {table:Identifier} FINAL
WHERE tenant = {tenant:String}
  AND event_id >= {first:UInt128} AND event_id < {last:UInt128}
  AND occurred_at >= {start:DateTime64(3)} AND occurred_at < {end:DateTime64(3)}
  AND ({app:String} = '' OR app = {app:String})
ORDER BY event_id
LIMIT {limit:UInt32}

-- Whole letters of one tenant by rising id, a page at a time: those that wait for somebody, or those of given ids.

SELECT *
FROM dead_letters FINAL
WHERE tenant = {tenant:String}
  AND letter_id > {after:UInt128}
  AND ({reason:String} = '' OR reason = {reason:String})
  AND ({app:String} = '' OR JSONExtractString(payload, 'app') = {app:String})
  AND received_at >= {since:DateTime64(3)}
  AND if(empty({ids:Array(UInt128)}), redriven_at IS NULL, letter_id IN {ids:Array(UInt128)})
ORDER BY letter_id
LIMIT {limit:UInt32}

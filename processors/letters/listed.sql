-- Letters of one tenant as a list shows them: the newest first, and never what was refused.

SELECT
    letter_id, received_at, reason, path, detail, event_id, source, schema_version,
    log_topic, log_partition, log_offset, redriven_at
FROM dead_letters FINAL
WHERE tenant = {tenant:String}
  AND ({reason:String} = '' OR reason = {reason:String})
  AND ({app:String} = '' OR JSONExtractString(payload, 'app') = {app:String})
  AND received_at >= {since:DateTime64(3)}
  AND ({redriven:Bool} OR redriven_at IS NULL)
ORDER BY received_at DESC, letter_id
LIMIT {limit:UInt32}

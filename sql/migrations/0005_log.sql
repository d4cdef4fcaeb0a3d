-- Where a row came from in the log, and when the server took it in. The position is that of the record which brought
-- the event first; '' and -1 where there is no log (embedded, import). inserted_at is the server's own clock: what was
-- written since a moment is found by it, whatever the event's time. A correction (a later ver) keeps the position.

ALTER TABLE usage ADD COLUMN IF NOT EXISTS log_topic LowCardinality(String) DEFAULT '';
ALTER TABLE usage ADD COLUMN IF NOT EXISTS log_partition Int32 DEFAULT -1;
ALTER TABLE usage ADD COLUMN IF NOT EXISTS log_offset Int64 DEFAULT -1;
ALTER TABLE usage ADD COLUMN IF NOT EXISTS inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');
ALTER TABLE usage ADD INDEX IF NOT EXISTS by_insertion inserted_at TYPE minmax;

ALTER TABLE feedback ADD COLUMN IF NOT EXISTS log_topic LowCardinality(String) DEFAULT '';
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS log_partition Int32 DEFAULT -1;
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS log_offset Int64 DEFAULT -1;
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');
ALTER TABLE feedback ADD INDEX IF NOT EXISTS by_insertion inserted_at TYPE minmax;

ALTER TABLE cost ADD COLUMN IF NOT EXISTS log_topic LowCardinality(String) DEFAULT '';
ALTER TABLE cost ADD COLUMN IF NOT EXISTS log_partition Int32 DEFAULT -1;
ALTER TABLE cost ADD COLUMN IF NOT EXISTS log_offset Int64 DEFAULT -1;
ALTER TABLE cost ADD COLUMN IF NOT EXISTS inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');
ALTER TABLE cost ADD INDEX IF NOT EXISTS by_insertion inserted_at TYPE minmax;

ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS schema_version UInt16 DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS log_topic LowCardinality(String) DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS log_partition Int32 DEFAULT -1;
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS log_offset Int64 DEFAULT -1;
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS redriven_at Nullable(DateTime64(3, 'UTC'));

-- What became of each record of the log, written after its events and before its offset is committed. One row a
-- record, however often it is read: the highest counts stay, because reading it again finds only duplicates.
-- `settled` records were read again by the audit: what they lack then is known under another record.
-- appended_at is the broker's time of the record.

CREATE TABLE IF NOT EXISTS log_records
(
    topic LowCardinality(String),
    partition Int32,
    offset Int64,
    appended_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    events SimpleAggregateFunction(max, UInt32),
    accepted SimpleAggregateFunction(max, UInt32),
    duplicates SimpleAggregateFunction(max, UInt32),
    rejected SimpleAggregateFunction(max, UInt32),
    malformed SimpleAggregateFunction(max, UInt8),
    settled SimpleAggregateFunction(max, UInt8),
    processed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (topic, partition, offset)
TTL toDateTime(processed_at) + INTERVAL 30 DAY;

-- Permission to go on with a partition that was stopped because it held too many refused events in a row: its
-- refused events before `before_offset` may go to the dead letters.

CREATE TABLE IF NOT EXISTS log_permits
(
    topic LowCardinality(String),
    partition Int32,
    before_offset Int64,
    given_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(given_at)
ORDER BY (topic, partition, before_offset);

-- Events that were refused, with what is needed to mend and redrive them. Keyed by content and
-- not partitioned by time, so that refusing the same event again is one row, in whatever month. Kept 90 days.

CREATE TABLE IF NOT EXISTS dead_letters
(
    tenant LowCardinality(String),
    letter_id UInt128,
    ver UInt64,
    received_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    event_id String,
    reason LowCardinality(String),
    path String,
    detail String,
    payload String
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (tenant, letter_id)
TTL toDateTime(received_at) + INTERVAL 90 DAY;

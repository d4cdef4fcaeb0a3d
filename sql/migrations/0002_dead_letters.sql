-- Events that were refused, with what is needed to mend and redrive them. Keyed by content, so that refusing
-- the same event twice is one row. Kept 90 days.

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
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, letter_id)
TTL toDateTime(received_at) + INTERVAL 90 DAY;

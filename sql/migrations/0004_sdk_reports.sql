-- What SDKs say they accepted: cumulative counters of each client, the last one of every hour.

CREATE TABLE IF NOT EXISTS sdk_reports
(
    tenant LowCardinality(String),
    client_id String,
    hour DateTime('UTC'),
    reported_at DateTime64(3, 'UTC'),
    accepted UInt64,
    dropped UInt64
)
ENGINE = ReplacingMergeTree(accepted)
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, client_id, hour);

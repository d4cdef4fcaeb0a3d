-- What SDKs say they accepted: cumulative counters of each client, the last one of every quarter of an hour (UTC).
-- Days and weeks of every zone begin on a quarter, not all on an hour, so none lies on both sides of an edge.

CREATE TABLE IF NOT EXISTS sdk_reports
(
    tenant LowCardinality(String),
    client_id String,
    quarter DateTime('UTC'),
    reported_at DateTime64(3, 'UTC'),
    accepted UInt64,
    dropped UInt64
)
ENGINE = ReplacingMergeTree(accepted)
PARTITION BY toYYYYMM(quarter)
ORDER BY (tenant, client_id, quarter);

-- Events, one row an identity. The sorting and partition keys are functions of the identity only: a re-sent
-- event with another time would otherwise count twice. event_id is the UUIDv7 as a number, because ClickHouse
-- sorts its UUID type by the second half, which holds no time. Read with FINAL; the highest ver wins.
-- Money is Int64 nano units of the organisation's currency; NULL means "not known", never 0. cost_upper_nano is
-- cost_nano where that is known, else an upper bound: budgets use it, so that an unknown model cannot hide.

CREATE TABLE IF NOT EXISTS usage
(
    tenant LowCardinality(String),
    event_id UInt128,
    ver UInt64,
    content_hash UInt64,
    received_at DateTime64(3, 'UTC'),
    client_id String,
    occurred_at DateTime64(3, 'UTC'),
    app LowCardinality(String),
    environment LowCardinality(String),
    use_case LowCardinality(String),
    team LowCardinality(String),
    claimed_team LowCardinality(String),
    user_id String,
    session_id String,
    trace_id String,
    response_id String,
    tags Map(LowCardinality(String), String),
    operation LowCardinality(String),
    provider LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    model LowCardinality(String),
    input_uncached_tokens Nullable(UInt32),
    input_cache_read_tokens UInt32,
    input_cache_write_tokens UInt32,
    output_visible_tokens Nullable(UInt32),
    output_reasoning_tokens UInt32,
    duration_ms Nullable(UInt32),
    time_to_first_token_ms Nullable(UInt32),
    status LowCardinality(String),
    error_type LowCardinality(String),
    cache_hit Bool,
    service_tier LowCardinality(String),
    prompt_version LowCardinality(String),
    data_class LowCardinality(String),
    intent LowCardinality(String),
    cost_nano Nullable(Int64),
    cost_upper_nano Int64,
    currency LowCardinality(String),
    price_source LowCardinality(String),
    authorisation LowCardinality(String)
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(toInt64(bitShiftRight(event_id, 80)), 'UTC'))
ORDER BY (tenant, event_id);

CREATE TABLE IF NOT EXISTS feedback
(
    tenant LowCardinality(String),
    event_id UInt128,
    ver UInt64,
    content_hash UInt64,
    received_at DateTime64(3, 'UTC'),
    client_id String,
    occurred_at DateTime64(3, 'UTC'),
    app LowCardinality(String),
    environment LowCardinality(String),
    use_case LowCardinality(String),
    team LowCardinality(String),
    claimed_team LowCardinality(String),
    user_id String,
    session_id String,
    trace_id String,
    response_id String,
    tags Map(LowCardinality(String), String),
    kind LowCardinality(String),
    thumb LowCardinality(String),
    decision LowCardinality(String),
    severity Nullable(Float64),
    draft_tokens Nullable(UInt32),
    final_tokens Nullable(UInt32),
    score Nullable(UInt8),
    reasons Array(LowCardinality(String)),
    taxonomy_version UInt16,
    reviewer_id String,
    prompt_version LowCardinality(String),
    response_model LowCardinality(String)
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(toInt64(bitShiftRight(event_id, 80)), 'UTC'))
ORDER BY (tenant, event_id);

CREATE TABLE IF NOT EXISTS cost
(
    tenant LowCardinality(String),
    event_id UInt128,
    ver UInt64,
    content_hash UInt64,
    received_at DateTime64(3, 'UTC'),
    client_id String,
    occurred_at DateTime64(3, 'UTC'),
    app LowCardinality(String),
    environment LowCardinality(String),
    use_case LowCardinality(String),
    team LowCardinality(String),
    claimed_team LowCardinality(String),
    user_id String,
    session_id String,
    trace_id String,
    response_id String,
    tags Map(LowCardinality(String), String),
    category LowCardinality(String),
    billed_nano Int64,
    billed_currency LowCardinality(String),
    cost_nano Nullable(Int64),
    cost_upper_nano Int64,
    currency LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    period_start Date32,
    period_end Date32,
    invoice_id String
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(toInt64(bitShiftRight(event_id, 80)), 'UTC'))
ORDER BY (tenant, event_id);

-- The roster as the workspace says it, one generation a content. A generation is written whole, then
-- published by one pointer row, so a reader never sees half of it.

CREATE TABLE IF NOT EXISTS roster
(
    tenant LowCardinality(String),
    generation String,
    user_id String,
    team LowCardinality(String),
    seat Bool,
    champion Bool,
    joined Date,
    left Nullable(Date),
    wave LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, generation, user_id, joined);

CREATE TABLE IF NOT EXISTS generations
(
    tenant LowCardinality(String),
    name LowCardinality(String),
    generation String,
    published_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(published_at)
ORDER BY (tenant, name);

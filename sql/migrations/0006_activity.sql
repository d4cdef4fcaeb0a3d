-- Activity: a cache of usage and feedback by tenant, local day, person, app, use case, model and team. It is rebuilt
-- a whole day at a time from FINAL under a new generation, and read only where nothing has changed since. A build is a
-- row of activity_builds: written as begun before its cells (so that what a killed build left is found and removed),
-- then as published; of a day's published generations the highest one is read. docs/adr/0009-activity.md says why.

-- inserted_at is taken when a block is written and no longer when its insert began: a slow sender's rows would
-- otherwise appear long after their time, behind the back of whoever looks for what is new.
ALTER TABLE usage MODIFY COLUMN inserted_at DateTime64(3, 'UTC') DEFAULT nowInBlock64(3, 'UTC');
ALTER TABLE feedback MODIFY COLUMN inserted_at DateTime64(3, 'UTC') DEFAULT nowInBlock64(3, 'UTC');
ALTER TABLE cost MODIFY COLUMN inserted_at DateTime64(3, 'UTC') DEFAULT nowInBlock64(3, 'UTC');

-- Rows from before the column existed would be "inserted now" at every read, and so never settle.
ALTER TABLE usage MATERIALIZE COLUMN inserted_at;
ALTER TABLE usage MATERIALIZE INDEX by_insertion;
ALTER TABLE feedback MATERIALIZE COLUMN inserted_at;
ALTER TABLE feedback MATERIALIZE INDEX by_insertion;

-- The key is the whole cell, so that a build which the network made the server run twice is still one: read with FINAL.
CREATE TABLE IF NOT EXISTS activity
(
    tenant LowCardinality(String),
    zone LowCardinality(String),
    day Date,
    generation UInt64,
    user_id String,
    app LowCardinality(String),
    use_case LowCardinality(String),
    model LowCardinality(String),
    team LowCardinality(String),
    calls UInt64,
    deliberate UInt64,
    errors UInt64,
    cache_hits UInt64,
    last_at DateTime64(3, 'UTC'),
    last_id UInt128,
    calls_without_input UInt64,
    calls_without_output UInt64,
    input_uncached UInt64,
    input_cache_read UInt64,
    input_cache_write UInt64,
    output_visible UInt64,
    output_reasoning UInt64,
    known_nano Int128,
    upper_nano Int128,
    unpriced_calls UInt64,
    unpriced_tokens UInt64,
    unpriced_calls_without_counts UInt64,
    unauthorised_calls UInt64,
    unauthorised_nano Int128,
    unpriced_unauthorised_calls UInt64,
    unpriced_unauthorised_upper_nano Int128,
    events_from_sdk UInt64,
    late_from_sdk UInt64,
    events_not_from_sdk UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, zone, day, generation, user_id, app, use_case, model, team);

CREATE TABLE IF NOT EXISTS activity_builds
(
    tenant LowCardinality(String),
    zone LowCardinality(String),
    day Date,
    generation UInt64,
    published UInt8,
    starts_at DateTime('UTC'),
    ends_at DateTime('UTC'),
    snapshot_at DateTime64(6, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    calls UInt64,
    cells UInt64
)
ENGINE = ReplacingMergeTree(published)
ORDER BY (tenant, zone, day, generation);

-- When the newest row of a quarter of an hour was inserted. Days of every zone begin on a quarter, so this serves
-- all zones and a changed one. Written by looking, a minute at a time, at what was inserted since the last look; the
-- row of quarter 0 (1970), written after the others, says until when everything inserted has been looked at.
CREATE TABLE IF NOT EXISTS activity_changes
(
    tenant LowCardinality(String),
    quarter DateTime('UTC'),
    newest DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(newest)
ORDER BY (tenant, quarter);

-- What has been applied: one row a statement (1, 2, ...) as soon as it ran, and row 0 with the checksum of the
-- whole file when its last statement had run. Columns are said again by sql/migrate.py only.

CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32,
    statement UInt16,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY (version, statement)

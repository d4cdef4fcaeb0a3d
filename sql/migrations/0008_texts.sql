-- Drafts and final texts of apps that opted in (apps.yaml: keep_text); NULL of all others, and where none was sent.
-- They are gone 90 days after they were received, when the part they are in is next merged; whoever reads them leaves
-- out older ones before that. Read by `uptake export feedback --with-text` and by nothing else.

ALTER TABLE feedback ADD COLUMN IF NOT EXISTS draft_text Nullable(String) CODEC(ZSTD(3))
    TTL toDateTime(received_at) + INTERVAL 90 DAY;
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS final_text Nullable(String) CODEC(ZSTD(3))
    TTL toDateTime(received_at) + INTERVAL 90 DAY;

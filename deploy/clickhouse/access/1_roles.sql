-- Who may do what. Applied by the one-shot service `access` at every `docker compose up`: every statement can be run
-- again, beside running workers, and gives exactly what it says (WITH REPLACE OPTION takes away what is gone from here).
-- Roles are made once and then altered: a role that is made anew is another one, which nobody has.

CREATE SETTINGS PROFILE IF NOT EXISTS uptake_readers;
-- `final`: a table holds an event again until it is merged; without it a reader would count it twice.
ALTER SETTINGS PROFILE uptake_readers SETTINGS
    readonly = 1,
    final = 1,
    do_not_merge_across_partitions_select_final = 1,
    max_execution_time = 60 MAX 60 CHANGEABLE_IN_READONLY,
    max_memory_usage = 2000000000,
    max_result_rows = 1000000,
    max_threads = 4;

-- The schema: `uptake migrate`.
CREATE ROLE IF NOT EXISTS uptake_schema;
GRANT
    CREATE DATABASE ON uptake.*,
    SHOW TABLES, SHOW COLUMNS, SELECT, INSERT, CREATE TABLE, DROP TABLE, ALTER TABLE ON uptake.*,
    TABLE ENGINE ON MergeTree,
    TABLE ENGINE ON ReplacingMergeTree,
    TABLE ENGINE ON AggregatingMergeTree
TO uptake_schema WITH REPLACE OPTION;

-- Workers, scheduler and commands: they read and add rows, and delete only what is a cache. A correction is a newer
-- row. CREATE DATABASE reaches this one database, which the client asks for at each start.
CREATE ROLE IF NOT EXISTS uptake_service;
GRANT
    CREATE DATABASE ON uptake.*,
    SHOW TABLES, SHOW COLUMNS, SELECT, INSERT ON uptake.*,
    ALTER DELETE ON uptake.activity,
    ALTER DELETE ON uptake.activity_builds
TO uptake_service WITH REPLACE OPTION;

-- Grafana: how things run, over all tenants. No person, no payload, no text that an app wrote.
CREATE ROLE IF NOT EXISTS uptake_operations;
ALTER ROLE uptake_operations SETTINGS PROFILE 'uptake_readers';
GRANT
    SELECT(tenant, event_id, ver, received_at, inserted_at, occurred_at, app, environment, provider, model, status,
           input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, output_visible_tokens,
           output_reasoning_tokens, duration_ms, cost_nano, cost_upper_nano, currency, price_source, authorisation,
           log_topic, log_partition, log_offset) ON uptake.usage,
    SELECT(tenant, event_id, ver, received_at, inserted_at, occurred_at, app, environment, kind,
           log_topic, log_partition, log_offset) ON uptake.feedback,
    SELECT(tenant, event_id, ver, received_at, inserted_at, occurred_at, app, category, cost_nano, currency,
           log_topic, log_partition, log_offset) ON uptake.cost,
    SELECT(tenant, letter_id, ver, received_at, source, reason, schema_version, log_topic, log_partition, log_offset,
           redriven_at) ON uptake.dead_letters,
    SELECT(tenant) ON uptake.generations,
    SELECT ON uptake.log_records,
    SELECT ON uptake.log_permits
TO uptake_operations WITH REPLACE OPTION;

-- A tenant's own analysts: its events, its money, its days. No pseudonym, session or trace, so that nobody counts
-- groups smaller than the KPIs show; and nothing of the log, which is shared by all tenants.
CREATE ROLE IF NOT EXISTS uptake_tenant;
ALTER ROLE uptake_tenant SETTINGS PROFILE 'uptake_readers';
GRANT
    SELECT(tenant, event_id, ver, received_at, occurred_at, app, environment, use_case, team, claimed_team, operation,
           provider, request_model, response_model, model, input_uncached_tokens, input_cache_read_tokens,
           input_cache_write_tokens, output_visible_tokens, output_reasoning_tokens, duration_ms,
           time_to_first_token_ms, status, error_type, cache_hit, service_tier, prompt_version, data_class, intent,
           cost_nano, cost_upper_nano, currency, price_source, authorisation) ON uptake.usage,
    SELECT(tenant, event_id, ver, received_at, occurred_at, app, environment, use_case, team, claimed_team, kind,
           thumb, decision, severity, draft_tokens, final_tokens, score, reasons, taxonomy_version, prompt_version,
           response_model) ON uptake.feedback,
    SELECT(tenant, event_id, ver, received_at, occurred_at, app, environment, use_case, team, claimed_team, category,
           billed_nano, billed_currency, cost_nano, cost_upper_nano, currency, provider, model, period_start,
           period_end, invoice_id) ON uptake.cost,
    SELECT(tenant, letter_id, ver, received_at, source, reason, schema_version, redriven_at) ON uptake.dead_letters,
    SELECT(tenant, quarter, reported_at, accepted, dropped) ON uptake.sdk_reports
TO uptake_tenant WITH REPLACE OPTION;

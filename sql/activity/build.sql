-- Write the cells of one local day under a generation that nobody reads yet.
INSERT INTO activity
(
    tenant, zone, day, generation,
    user_id, app, use_case, model, team,
    calls, deliberate, errors, cache_hits, last_at, last_id,
    calls_without_input, calls_without_output,
    input_uncached, input_cache_read, input_cache_write, output_visible, output_reasoning,
    known_nano, upper_nano, unpriced_calls, unpriced_tokens, unpriced_calls_without_counts,
    unauthorised_calls, unauthorised_nano, unpriced_unauthorised_calls, unpriced_unauthorised_upper_nano,
    events_from_sdk, late_from_sdk, events_not_from_sdk
)
SELECT
    {tenant:String}, {zone:String}, {day:Date}, {generation:UInt64},
    user_id, app, use_case, model, team,
    calls, deliberate, errors, cache_hits, last_at, last_id,
    calls_without_input, calls_without_output,
    input_uncached, input_cache_read, input_cache_write, output_visible, output_reasoning,
    known_nano, upper_nano, unpriced_calls, unpriced_tokens, unpriced_calls_without_counts,
    unauthorised_calls, unauthorised_nano, unpriced_unauthorised_calls, unpriced_unauthorised_upper_nano,
    events_from_sdk, late_from_sdk, events_not_from_sdk
FROM
(
    /* cells.sql */
)

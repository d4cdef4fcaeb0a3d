-- Cells of a day that differ between FINAL (`counted`) and a generation (`kept`), each of which may lack a cell: then
-- it says nothing of it.
-- The person of a cell is not told: what differs is found without.
SELECT
    app,
    use_case,
    model,
    team,
    anyIf((names, amounts), side = 1) AS counted,
    anyIf((names, amounts), side = 2) AS kept
FROM
(
    SELECT
        side,
        user_id, app, use_case, model, team,
        [
            'calls', 'deliberate', 'errors', 'cache_hits', 'last_at', 'last_id',
            'calls_without_input', 'calls_without_output',
            'input_uncached', 'input_cache_read', 'input_cache_write', 'output_visible', 'output_reasoning',
            'known_nano', 'upper_nano', 'unpriced_calls', 'unpriced_tokens', 'unpriced_calls_without_counts',
            'unauthorised_calls', 'unauthorised_nano',
            'unpriced_unauthorised_calls', 'unpriced_unauthorised_upper_nano',
            'events_from_sdk', 'late_from_sdk', 'events_not_from_sdk'
        ] AS names,
        [
            toInt256(calls), deliberate, errors, cache_hits, toUnixTimestamp64Milli(last_at), last_id,
            calls_without_input, calls_without_output,
            input_uncached, input_cache_read, input_cache_write, output_visible, output_reasoning,
            known_nano, upper_nano, unpriced_calls, unpriced_tokens, unpriced_calls_without_counts,
            unauthorised_calls, unauthorised_nano,
            unpriced_unauthorised_calls, unpriced_unauthorised_upper_nano,
            events_from_sdk, late_from_sdk, events_not_from_sdk
        ] AS amounts
    FROM
    (
        SELECT 1 AS side, * FROM
        (
            /* cells.sql */
        )
        UNION ALL
        SELECT
            2,
            user_id, app, use_case, model, team,
            calls, deliberate, errors, cache_hits, (last_at, last_id), last_at, last_id,
            calls_without_input, calls_without_output,
            input_uncached, input_cache_read, input_cache_write, output_visible, output_reasoning,
            known_nano, upper_nano, unpriced_calls, unpriced_tokens, unpriced_calls_without_counts,
            unauthorised_calls, unauthorised_nano, unpriced_unauthorised_calls, unpriced_unauthorised_upper_nano,
            events_from_sdk, late_from_sdk, events_not_from_sdk
        FROM activity FINAL
        WHERE tenant = {tenant:String} AND zone = {zone:String} AND day = {day:Date}
            AND generation = {generation:UInt64}
    )
)
GROUP BY user_id, app, use_case, model, team
HAVING counted != kept
ORDER BY app, use_case, model, team

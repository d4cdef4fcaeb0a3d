-- Cells of a day that differ between FINAL (`now`) and a generation (`kept`), which may lack a cell altogether.
-- The person of a cell is not told: what differs is found without.
SELECT
    app,
    use_case,
    model,
    team,
    sumMapIf(names, amounts, side = 1) AS now,
    sumMapIf(names, amounts, side = 2) AS kept
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
HAVING now != kept OR countIf(side = 1) != countIf(side = 2)
ORDER BY app, use_case, model, team

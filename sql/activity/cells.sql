-- The activity of one local day [from_, to_) as FINAL says it: one row a person, app, use case, model and team.
-- Only what adds up over days and never changes with what happens on another day is here. A decision is not: the last
-- one on an answer counts, and which one that is depends on the period that is asked about; nor is a thumb.
SELECT
    user_id,
    app,
    use_case,
    model,
    team,
    sum(c_calls) AS calls,
    sum(c_deliberate) AS deliberate,
    sum(c_errors) AS errors,
    sum(c_cache_hits) AS cache_hits,
    max(c_last) AS last,
    last.1 AS last_at,
    last.2 AS last_id,
    sum(c_without_input) AS calls_without_input,
    sum(c_without_output) AS calls_without_output,
    sum(c_uncached) AS input_uncached,
    sum(c_cache_read) AS input_cache_read,
    sum(c_cache_write) AS input_cache_write,
    sum(c_visible) AS output_visible,
    sum(c_reasoning) AS output_reasoning,
    sum(c_known) AS known_nano,
    sum(c_upper) AS upper_nano,
    sum(c_unpriced) AS unpriced_calls,
    sum(c_unpriced_tokens) AS unpriced_tokens,
    sum(c_unpriced_uncounted) AS unpriced_calls_without_counts,
    sum(c_unauthorised) AS unauthorised_calls,
    sum(c_unauthorised_known) AS unauthorised_nano,
    sum(c_unpriced_unauthorised) AS unpriced_unauthorised_calls,
    sum(c_unpriced_unauthorised_upper) AS unpriced_unauthorised_upper_nano,
    sum(c_from_sdk) AS events_from_sdk,
    sum(c_late) AS late_from_sdk,
    sum(c_not_from_sdk) AS events_not_from_sdk
FROM
(
    SELECT
        user_id,
        app,
        use_case,
        model,
        team,
        count() AS c_calls,
        countIf(intent = 'deliberate') AS c_deliberate,
        countIf(status = 'error') AS c_errors,
        countIf(cache_hit) AS c_cache_hits,
        maxIf((occurred_at, event_id), intent = 'deliberate') AS c_last,
        countIf(input_uncached_tokens IS NULL) AS c_without_input,
        countIf(output_visible_tokens IS NULL) AS c_without_output,
        sum(toUInt64(ifNull(input_uncached_tokens, 0))) AS c_uncached,
        sum(toUInt64(input_cache_read_tokens)) AS c_cache_read,
        sum(toUInt64(input_cache_write_tokens)) AS c_cache_write,
        sum(toUInt64(ifNull(output_visible_tokens, 0))) AS c_visible,
        sum(toUInt64(output_reasoning_tokens)) AS c_reasoning,
        sum(ifNull(toInt128(cost_nano), 0)) AS c_known,
        sum(toInt128(cost_upper_nano)) AS c_upper,
        countIf(cost_nano IS NULL) AS c_unpriced,
        sumIf(
            toUInt64(ifNull(input_uncached_tokens, 0)) + input_cache_read_tokens + input_cache_write_tokens
            + ifNull(output_visible_tokens, 0) + output_reasoning_tokens,
            cost_nano IS NULL
        ) AS c_unpriced_tokens,
        countIf(cost_nano IS NULL AND (input_uncached_tokens IS NULL OR output_visible_tokens IS NULL))
            AS c_unpriced_uncounted,
        countIf(authorisation != 'allowed') AS c_unauthorised,
        sumIf(ifNull(toInt128(cost_nano), 0), authorisation != 'allowed') AS c_unauthorised_known,
        countIf(cost_nano IS NULL AND authorisation != 'allowed') AS c_unpriced_unauthorised,
        sumIf(toInt128(cost_upper_nano), cost_nano IS NULL AND authorisation != 'allowed')
            AS c_unpriced_unauthorised_upper,
        countIf(client_id != '') AS c_from_sdk,
        countIf(client_id != '' AND received_at > occurred_at + INTERVAL 1 DAY) AS c_late,
        countIf(client_id = '') AS c_not_from_sdk
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    GROUP BY user_id, app, use_case, model, team
    UNION ALL
    -- Feedback is only here for how late it came, so it needs no person.
    SELECT
        '', app, use_case, '', team,
        0, 0, 0, 0,
        (toDateTime64(0, 3, 'UTC'), toUInt128(0)),
        0, 0, 0, 0, 0, 0, 0,
        toInt128(0), toInt128(0),
        0, 0, 0, 0,
        toInt128(0), 0, toInt128(0),
        countIf(client_id != ''),
        countIf(client_id != '' AND received_at > occurred_at + INTERVAL 1 DAY),
        countIf(client_id = '')
    FROM feedback FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    GROUP BY app, use_case, team
)
GROUP BY user_id, app, use_case, model, team

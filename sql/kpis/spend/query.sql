-- What was spent: priced calls, and cost events (licences, infrastructure, credits) for the days of the period. What a
-- provider bills for calls is left out: the calls are counted already (the KPI "shadow_gap" compares the two).
-- A cost event is spread over the days it bills: through day k of D it has cost intDiv(amount * k, D), and a period
-- costs the difference of two such sums, so adjacent periods add up to the amount to the last nano. intDiv
-- truncates towards zero, so a credit mirrors the cost that it takes back. Sums are 128 bits wide.
SELECT
    team,
    app,
    sum(usage_nano) + sum(event_nano) AS numerator,
    sum(calls_unpriced) AS excluded_unpriced_calls,
    sum(tokens_unpriced) AS excluded_unpriced_tokens,
    sum(events_unpriced) AS excluded_cost_events_without_rate,
    sum(bill_nano) AS excluded_provider_bills_nano,
    sum(usage_nano) AS extra_usage_nano,
    sum(event_nano) - sum(credit_nano) AS extra_billed_nano,
    sum(credit_nano) AS extra_credit_nano,
    sum(upper_nano) - sum(usage_nano) - sum(event_nano) AS extra_unpriced_upper_nano
FROM
(
    SELECT
        team,
        app,
        ifNull(toInt128(cost_nano), 0) AS usage_nano,
        toInt128(cost_upper_nano) AS upper_nano,
        toInt128(0) AS event_nano,
        toInt128(0) AS credit_nano,
        toInt128(0) AS bill_nano,
        cost_nano IS NULL AS calls_unpriced,
        if(
            cost_nano IS NULL,
            toInt64(ifNull(input_uncached_tokens, 0) + input_cache_read_tokens + input_cache_write_tokens
            + ifNull(output_visible_tokens, 0) + output_reasoning_tokens),
            0
        ) AS tokens_unpriced,
        0 AS events_unpriced
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT
        team,
        app,
        toInt128(0),
        if(
            provider_bill,
            0,
            intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * day_to, days)
                - intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * day_from, days)
        ),
        if(provider_bill, 0, part),
        if(category = 'credit', part, 0),
        if(provider_bill, part, 0),
        0,
        0,
        cost_nano IS NULL AND NOT provider_bill
    FROM
    (
        SELECT
            team,
            app,
            category,
            category = 'inference' AND invoice_id != '' AS provider_bill,
            cost_nano,
            cost_upper_nano,
            dateDiff('day', period_start, period_end) AS days,
            greatest(dateDiff('day', period_start, {first_day:Date}), 0) AS day_from,
            least(dateDiff('day', period_start, {after_day:Date}), days) AS day_to,
            intDiv(toInt128(ifNull(cost_nano, 0)) * day_to, days)
                - intDiv(toInt128(ifNull(cost_nano, 0)) * day_from, days) AS part
        FROM cost FINAL
        WHERE tenant = {tenant:String}
            AND period_start < {after_day:Date} AND period_end > {first_day:Date}
    )
)
GROUP BY team, app

-- What providers bill and no call of ours explains. Bills are cost events of the category "inference" that name their
-- invoice, spread over their days as in "spend"; calls are attributed by the provider that they name.
SELECT
    '' AS team,
    bill_from AS provider,
    toInt128(billed_nano) - if(billed_nano != 0, call_nano, 0) AS numerator,
    billed_nano AS denominator,
    if(billed_nano = 0, call_nano, toInt128(0)) AS excluded_unbilled_nano,
    if(billed_nano = 0, 0, calls_unpriced) AS excluded_unpriced_calls,
    bills_unpriced AS excluded_bills_without_rate,
    if(billed_nano != 0, call_nano, toInt128(0)) AS extra_attributed_nano
FROM
(
    SELECT
        bill_from,
        sum(bill) AS billed_nano,
        sum(nano) AS call_nano,
        sum(unpriced) AS calls_unpriced,
        sum(without_rate) AS bills_unpriced
    FROM
    (
        SELECT
            lower(provider) AS bill_from,
            toInt128(0) AS bill,
            ifNull(toInt128(cost_nano), 0) AS nano,
            cost_nano IS NULL AS unpriced,
            0 AS without_rate
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT
            bill_from,
            if(
                cost_nano IS NULL,
                toInt128(0),
                intDiv(toInt128(ifNull(cost_nano, 0)) * day_to, days)
                    - intDiv(toInt128(ifNull(cost_nano, 0)) * day_from, days)
            ),
            toInt128(0),
            0,
            cost_nano IS NULL
        FROM
        (
            SELECT
                lower(provider) AS bill_from,
                cost_nano,
                dateDiff('day', period_start, period_end) AS days,
                greatest(dateDiff('day', period_start, {first_day:Date}), 0) AS day_from,
                least(dateDiff('day', period_start, {after_day:Date}), days) AS day_to
            FROM cost FINAL
            WHERE tenant = {tenant:String}
                AND period_start < {after_day:Date} AND period_end > {first_day:Date}
                AND category = 'inference' AND invoice_id != ''
        )
    )
    GROUP BY bill_from
)

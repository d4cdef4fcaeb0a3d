-- Spend of a scope on each local day that has any: calls by when they happened, cost events by the days they bill.
SELECT
    day,
    sum(known) AS known_nano,
    sum(upper) AS upper_nano,
    sum(unpriced) AS unpriced_calls
FROM
(
    SELECT
        toDate(occurred_at, {zone:String}) AS day,
        sum(ifNull(toInt128(cost_nano), 0)) AS known,
        sum(toInt128(cost_upper_nano)) AS upper,
        countIf(cost_nano IS NULL) AS unpriced
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        AND (empty({teams:Array(String)}) OR has({teams:Array(String)}, team))
        AND ({app:String} = '' OR app = {app:String})
        AND ({use_case:String} = '' OR use_case = {use_case:String})
        AND ({model:String} = '' OR model = {model:String})
    GROUP BY day
    UNION ALL
    SELECT
        day,
        intDiv(toInt128(ifNull(cost_nano, 0)) * (nth + 1), days) - intDiv(toInt128(ifNull(cost_nano, 0)) * nth, days),
        intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * (nth + 1), days)
            - intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * nth, days),
        0
    FROM
    (
        SELECT
            cost_nano,
            cost_upper_nano,
            dateDiff('day', period_start, period_end) AS days,
            arrayJoin(range(
                toUInt32(greatest(dateDiff('day', period_start, {first_day:Date}), 0)),
                toUInt32(least(dateDiff('day', period_start, {after_day:Date}), days))
            )) AS nth,
            addDays(period_start, nth) AS day
        FROM cost FINAL
        WHERE tenant = {tenant:String}
            AND period_start < {after_day:Date} AND period_end > {first_day:Date}
            AND (empty({teams:Array(String)}) OR has({teams:Array(String)}, team))
            AND ({app:String} = '' OR app = {app:String})
            AND ({use_case:String} = '' OR use_case = {use_case:String})
            AND ({model:String} = '' OR model = {model:String})
    )
)
GROUP BY day
ORDER BY day

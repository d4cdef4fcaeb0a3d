-- What a budget's scope has spent since its period began: calls, and cost events for the days that have begun.
-- A cost event is spread over its days as in the KPI "spend", and what a provider bills for calls is left out as there. Its share of a scope is all of it, or nothing.
SELECT
    sum(known) AS known_nano,
    sum(upper) AS upper_nano,
    sum(unpriced) AS unpriced_calls,
    max(newest) AS newest
FROM
(
    SELECT
        sum(ifNull(toInt128(cost_nano), 0)) AS known,
        sum(toInt128(cost_upper_nano)) AS upper,
        countIf(cost_nano IS NULL) AS unpriced,
        if(count() > 0, max(occurred_at), NULL) AS newest
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        AND (empty({teams:Array(String)}) OR has({teams:Array(String)}, team))
        AND ({app:String} = '' OR app = {app:String})
        AND ({use_case:String} = '' OR use_case = {use_case:String})
        AND ({model:String} = '' OR model = {model:String})
    UNION ALL
    SELECT
        sum(intDiv(toInt128(ifNull(cost_nano, 0)) * day_to, days) - intDiv(toInt128(ifNull(cost_nano, 0)) * day_from, days)),
        sum(intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * day_to, days) - intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * day_from, days)),
        0,
        NULL
    FROM
    (
        SELECT
            cost_nano,
            cost_upper_nano,
            dateDiff('day', period_start, period_end) AS days,
            greatest(dateDiff('day', period_start, {first_day:Date}), 0) AS day_from,
            least(dateDiff('day', period_start, {after_day:Date}), days) AS day_to
        FROM cost FINAL
        WHERE tenant = {tenant:String}
            AND period_start < {after_day:Date} AND period_end > {first_day:Date}
            AND NOT (category = 'inference' AND invoice_id != '')
            AND (empty({teams:Array(String)}) OR has({teams:Array(String)}, team))
            AND ({app:String} = '' OR app = {app:String})
            AND ({use_case:String} = '' OR use_case = {use_case:String})
            AND ({model:String} = '' OR model = {model:String})
    )
)

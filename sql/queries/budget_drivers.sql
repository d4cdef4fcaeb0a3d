-- What calls of a budget's scope cost in the last 24 hours, and in the days before, by app and model. `first_at`
-- says since when the scope has history at all; it is the same in every row.
SELECT
    app,
    model,
    sumIf(upper, recent) AS recent_nano,
    sumIf(upper, NOT recent) AS earlier_nano,
    countIf(recent) AS recent_calls,
    countIf(recent AND unpriced) AS recent_unpriced_calls,
    min(min(at)) OVER () AS first_at
FROM
(
    SELECT
        app,
        model,
        occurred_at AS at,
        toInt128(cost_upper_nano) AS upper,
        cost_nano IS NULL AS unpriced,
        occurred_at >= {recent_from:DateTime64(3, 'UTC')} AS recent
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        AND (empty({teams:Array(String)}) OR has({teams:Array(String)}, team))
        AND ({app:String} = '' OR app = {app:String})
        AND ({use_case:String} = '' OR use_case = {use_case:String})
        AND ({model:String} = '' OR model = {model:String})
)
GROUP BY app, model

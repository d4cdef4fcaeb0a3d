-- What calls cost, by what may be looked into: app, use case and the model that answered.
SELECT
    team,
    app,
    use_case,
    model,
    sum(ifNull(toInt128(cost_nano), 0)) AS numerator,
    countIf(cost_nano IS NULL) AS excluded_unpriced_calls,
    count() AS extra_calls
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
GROUP BY team, app, use_case, model

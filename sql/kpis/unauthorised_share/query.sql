-- Money of calls that the registry does not allow, of the money of all calls. A call without a price is in neither:
-- it is counted beside them, with what it may have cost at most.
SELECT
    team,
    app,
    sumIf(ifNull(toInt128(cost_nano), 0), authorisation != 'allowed') AS numerator,
    sum(ifNull(toInt128(cost_nano), 0)) AS denominator,
    countIf(cost_nano IS NULL) AS excluded_unpriced_calls,
    countIf(cost_nano IS NULL AND authorisation != 'allowed') AS excluded_unpriced_unauthorised_calls,
    countIf(authorisation != 'allowed') AS extra_unauthorised_calls,
    count() AS extra_calls,
    sumIf(toInt128(cost_upper_nano), cost_nano IS NULL AND authorisation != 'allowed')
        AS extra_unpriced_unauthorised_upper_nano
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
GROUP BY team, app

-- How long calls that succeeded took, in buckets of an exponential histogram (OpenTelemetry, scale 4): 16 to each
-- doubling, so each is 4.4 % wide and any quantile is known within that. Buckets add up over teams, quantiles do not.
SELECT
    team,
    app,
    if(timed, toInt16(floor(log2(greatest(ifNull(duration_ms, 1), 1)) * 16)), -1) AS bucket,
    countIf(timed) AS numerator,
    countIf(status = 'ok' AND duration_ms IS NULL) AS excluded_without_duration,
    countIf(status != 'ok') AS excluded_failed,
    countIf(cache_hit AND status = 'ok') AS excluded_from_cache
FROM
(
    SELECT
        team,
        app,
        duration_ms,
        status,
        cache_hit,
        status = 'ok' AND duration_ms IS NOT NULL AND NOT cache_hit AS timed
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)
GROUP BY team, app, bucket

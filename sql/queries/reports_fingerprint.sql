-- What SDKs reported of themselves on each day before a moment, as two numbers that a new report changes.
SELECT
    toDate32(reported_at, {zone:String}) AS day,
    count() AS rows,
    sum(cityHash64(client_id, reported_at, accepted, dropped)) AS reports
FROM sdk_reports FINAL
WHERE tenant = {tenant:String} AND reported_at < {to_:DateTime64(3, 'UTC')}
GROUP BY day

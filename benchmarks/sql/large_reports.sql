-- The counters of the SDKs: of a thousand events that apps handed over, two never came.
INSERT INTO sdk_reports (tenant, client_id, quarter, reported_at, accepted, dropped)
SELECT
    {tenant:String},
    client_id,
    hour + INTERVAL 45 MINUTE,
    hour + INTERVAL 50 MINUTE,
    intDiv(total * 1002, 1000),
    intDiv(total, 1000)
FROM
(
    SELECT client_id, hour, sum(events) OVER (PARTITION BY client_id ORDER BY hour) AS total
    FROM
    (
        SELECT client_id, toStartOfHour(occurred_at) AS hour, count() AS events
        FROM usage
        WHERE tenant = {tenant:String}
        GROUP BY client_id, hour
    )
)

-- Of which quarters of an hour a tenant has events (1970: of none), until when that is known (1970: it never was), and
-- the server's clock.
SELECT
    minIf(quarter, quarter > 0) AS first,
    maxIf(quarter, quarter > 0) AS last,
    maxIf(newest, quarter = 0) AS looked_at,
    now64(6, 'UTC') AS server_now
FROM activity_changes
WHERE tenant = {tenant:String}

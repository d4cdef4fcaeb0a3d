-- Letters that wait for somebody, by tenant and reason.

SELECT tenant, reason, count() AS letters, max(received_at) AS newest
FROM dead_letters FINAL
WHERE redriven_at IS NULL
GROUP BY tenant, reason
ORDER BY tenant, letters DESC, reason

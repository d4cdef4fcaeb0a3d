-- When the database server was started, by its own clock.

SELECT now64(3, 'UTC') - toIntervalSecond(uptime()) AS started_at

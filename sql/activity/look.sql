-- Note, by quarter of an hour, when the newest row was inserted, of all rows inserted since `since`. A correction is a
-- new row of the same time (its content does not change), so the quarter of the new row is the quarter of the old one.
INSERT INTO activity_changes (tenant, quarter, newest)
SELECT {tenant:String}, quarter, max(inserted_at)
FROM
(
    SELECT toStartOfFifteenMinutes(occurred_at) AS quarter, inserted_at
    FROM usage
    WHERE tenant = {tenant:String} AND inserted_at >= {since:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT toStartOfFifteenMinutes(occurred_at), inserted_at
    FROM feedback
    WHERE tenant = {tenant:String} AND inserted_at >= {since:DateTime64(3, 'UTC')}
)
GROUP BY quarter

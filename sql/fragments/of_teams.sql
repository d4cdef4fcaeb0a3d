-- The rows of a query that are of some teams.
SELECT *
FROM
(
    /* query.sql */
)
WHERE team IN {only_teams:Array(String)}

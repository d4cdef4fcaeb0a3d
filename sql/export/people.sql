-- How many people the rows of an export are from, by team. A person is who used the app: the team is theirs. Rows of
-- nobody known count nobody.
SELECT last.1 AS team, uniqExactIf(last.2, last.2 != '') AS people
FROM
(
    SELECT argMax((team, user_id, severity), (occurred_at, event_id)) AS last
    FROM feedback FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        AND app = {app:String}
        AND kind IN {kinds:Array(String)}
    GROUP BY kind, response_id, if(response_id = '', event_id, toUInt128(0))
)
WHERE {min_severity:Float64} < 0 OR ifNull(last.3 >= {min_severity:Float64}, false)
GROUP BY team

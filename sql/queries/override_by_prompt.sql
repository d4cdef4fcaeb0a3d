-- Overrides by app, use case, prompt version and team, with decisions counted as in the KPI "override_rate".
WITH
    latest AS
    (
        SELECT
            app,
            response_id,
            argMax((team, decision, severity, prompt_version, use_case), (occurred_at, event_id)) AS last,
            max(occurred_at) AS at
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND kind = 'decision'
        GROUP BY app, response_id, if(response_id = '', event_id, toUInt128(0))
    ),
    answers AS
    (
        -- Feedback often comes from another request than the answer: what it does not say, the call knows.
        SELECT app, response_id, argMax((prompt_version, use_case), (occurred_at, event_id)) AS call
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND response_id != ''
        GROUP BY app, response_id
    ),
    decisions AS
    (
        SELECT
            latest.app AS app,
            last.1 AS team,
            if(last.4 != '', last.4, answers.call.1) AS prompt,
            if(last.5 != '', last.5, answers.call.2) AS purpose,
            last.2 IN ('accepted', 'edited', 'rejected') AS is_decided,
            last.2 = 'rejected' OR (last.2 = 'edited' AND ifNull(last.3 >= {severity:Float64}, false)) AS is_overridden,
            latest.at AS at
        FROM latest
        LEFT JOIN answers ON latest.app = answers.app AND latest.response_id = answers.response_id
    )
SELECT
    app,
    purpose AS use_case,
    prompt AS prompt_version,
    team,
    count() AS decided,
    countIf(is_overridden) AS overridden,
    min(at) AS first_at
FROM decisions
WHERE is_decided
GROUP BY app, purpose, prompt, team
ORDER BY app, use_case, prompt_version, team

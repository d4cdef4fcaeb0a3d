-- Why answers were overridden, by team: reason codes of the overriding decisions, '' where none was given. A decision
-- with two reasons is in two rows; `overridden` counts the decisions of the group, each once.
WITH
    latest AS
    (
        SELECT
            app,
            response_id,
            argMax((team, decision, severity, prompt_version, use_case, reasons), (occurred_at, event_id)) AS last
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
            last.2 = 'rejected' OR (last.2 = 'edited' AND ifNull(last.3 >= {severity:Float64}, false)) AS is_overridden,
            last.6 AS codes
        FROM latest
        LEFT JOIN answers ON latest.app = answers.app AND latest.response_id = answers.response_id
    )
SELECT
    app,
    purpose AS use_case,
    prompt AS prompt_version,
    team,
    reason,
    count() AS given,
    any(whole) AS overridden
FROM
(
    SELECT
        app,
        purpose,
        prompt,
        team,
        arrayJoin(if(empty(codes), [''], arrayDistinct(codes))) AS reason,
        whole
    FROM
    (
        SELECT app, purpose, prompt, team, codes, count() OVER (PARTITION BY app, purpose, prompt, team) AS whole
        FROM decisions
        WHERE is_overridden
    )
)
GROUP BY app, purpose, prompt, team, reason
ORDER BY app, use_case, prompt_version, team, reason

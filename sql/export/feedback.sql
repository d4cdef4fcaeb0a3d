-- A page of an app's feedback in the order of its ids: each row with whether it is the last of its kind on its answer,
-- how many others there are, and with what the answer's call says. The last is found as in the KPIs: by time, then id,
-- in the period; feedback that names no answer stands by itself. Calls are looked for a day further on both sides.
WITH
    page AS
    (
        SELECT
            event_id, occurred_at, kind, decision, severity, draft_tokens, final_tokens, reasons, taxonomy_version,
            thumb, toBool(reviewer_id != '') AS reviewed, use_case, environment, team, prompt_version, response_model,
            response_id, trace_id
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {page_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND app = {app:String}
            AND kind IN {kinds:Array(String)}
        ORDER BY event_id
        LIMIT {rows:UInt32}
    ),
    answers AS
    (
        SELECT response_id, kind, count() AS times, argMax(event_id, (occurred_at, event_id)) AS last_id
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND app = {app:String}
            AND kind IN {kinds:Array(String)}
            AND response_id != ''
            AND response_id IN (SELECT response_id FROM page)
        GROUP BY response_id, kind
    ),
    calls AS
    (
        SELECT
            response_id,
            argMax(
                (use_case, prompt_version, provider, request_model, response_model, trace_id),
                (occurred_at, event_id)
            ) AS call,
            true AS known
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {call_id_from:UInt128} AND event_id < {call_id_to:UInt128}
            AND occurred_at >= {call_from:DateTime64(3, 'UTC')} AND occurred_at < {call_to:DateTime64(3, 'UTC')}
            AND app = {app:String}
            AND response_id != ''
            AND response_id IN (SELECT response_id FROM page)
        GROUP BY response_id
    )
SELECT
    page.event_id AS event_id,
    page.occurred_at AS occurred_at,
    page.kind AS kind,
    page.decision AS decision,
    page.severity AS severity,
    page.draft_tokens AS draft_tokens,
    page.final_tokens AS final_tokens,
    page.reasons AS reasons,
    page.taxonomy_version AS taxonomy_version,
    page.thumb AS thumb,
    page.reviewed AS reviewed,
    if(page.use_case != '', page.use_case, calls.call.1) AS use_case,
    page.environment AS environment,
    page.team AS team,
    if(page.prompt_version != '', page.prompt_version, calls.call.2) AS prompt_version,
    calls.call.3 AS provider,
    calls.call.4 AS request_model,
    if(page.response_model != '', page.response_model, calls.call.5) AS response_model,
    page.response_id AS response_id,
    if(page.trace_id != '', page.trace_id, calls.call.6) AS trace_id,
    page.response_id = '' OR answers.last_id = page.event_id AS is_last,
    if(page.response_id = '', 0, answers.times - 1) AS superseded,
    calls.known AS has_call
FROM page
LEFT JOIN answers ON page.response_id = answers.response_id AND page.kind = answers.kind
LEFT JOIN calls ON page.response_id = calls.response_id
ORDER BY event_id

-- What people made of their answers: of a hundred, 14 decisions, 5 thumbs, 2 edits and a survey, minutes later.
INSERT INTO feedback
    (tenant, event_id, ver, content_hash, inserted_at, occurred_at, received_at, client_id, app, environment, use_case,
     team, user_id, session_id, response_id, kind, thumb, decision, severity, draft_tokens, final_tokens, score, reasons,
     taxonomy_version, prompt_version, response_model)
SELECT
    tenant,
    bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(later)), 80), bitAnd(event_id, bitShiftLeft(toUInt128(1), 80) - 1)),
    1,
    chance,
    now64(3) - INTERVAL 1 HOUR,
    later,
    later + INTERVAL 2 SECOND,
    client_id,
    app,
    environment,
    use_case,
    team,
    user_id,
    session_id,
    response_id,
    multiIf(chance % 100 < 14, 'decision', chance % 100 < 19, 'thumb', chance % 100 < 21, 'edit', 'survey') AS of_kind,
    multiIf(of_kind != 'thumb', '', mood % 100 < 11, 'down', 'up'),
    multiIf(of_kind != 'decision', '', mood % 100 < poor, 'rejected', mood % 100 < poor + 30, 'edited', mood % 50 = 0, 'escalated', 'accepted') AS verdict,
    if(of_kind = 'edit' OR verdict = 'edited', toNullable((mood % 60) / 100), NULL) AS how_much,
    if(of_kind = 'edit' OR verdict = 'edited', 200, NULL),
    if(of_kind = 'edit' OR verdict = 'edited', 210, NULL),
    if(of_kind = 'survey', toNullable(toUInt8(3 + mood % 8)), NULL),
    if(
        verdict = 'rejected' OR (how_much >= 0.3 AND verdict = 'edited'),
        arraySlice(['incorrect', 'incomplete', 'wrong_tone', 'wrong_format', 'outdated', 'preference', 'other'], 1 + mood % 7, mood % 3),
        []
    ),
    1,
    if(mood % 3 = 0, '', prompt_version),
    response_model
FROM
(
    SELECT
        *,
        cityHash64(event_id, 'kind') AS chance,
        cityHash64(event_id, 'mood') AS mood,
        if(prompt_version = 'v14', 24, 7) AS poor,
        occurred_at + toIntervalSecond(60 + chance % 1200) AS later
    FROM usage
    WHERE tenant = {tenant:String} AND response_id != '' AND status = 'ok' AND intent = 'deliberate'
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND cityHash64(event_id, 'kind') % 100 < 22
)

-- `count` calls in the order of their time, numbered from `first` of `events`, spread over the working days of `weeks`
-- weeks. A person uses two apps, mostly for one purpose; who is away in a week has a robot call for them. The team
-- is the roster's on the day.
INSERT INTO usage
    (tenant, event_id, ver, content_hash, inserted_at, occurred_at, received_at, client_id, app, environment, use_case,
     team, user_id, session_id, trace_id, response_id, operation, provider, request_model, response_model, model,
     input_uncached_tokens, input_cache_read_tokens, output_visible_tokens, output_reasoning_tokens, duration_ms,
     status, error_type, prompt_version, data_class, intent, cost_nano, cost_upper_nano, currency, price_source,
     authorisation)
SELECT
    {tenant:String},
    id,
    1,
    hash,
    now64(3) - INTERVAL 1 HOUR,
    at,
    at + toIntervalSecond(if(hash % 700 = 0, 100000, 2)),
    concat('client-', toString(person % 40)),
    app_name,
    'production',
    purpose,
    if(stays.left IS NULL OR stays.left > calls.day, stays.team, '') AS team,
    calls.user_id,
    lower(hex(cityHash64(person, day, intDiv(number, 50)))),
    lower(concat(hex(hash), hex(other))),
    if(app_number < 4, concat('resp-', lower(hex(hash))), ''),
    'chat',
    'provider',
    model_name,
    model_name,
    model_name,
    input_tokens,
    input_tokens * (hash % 3),
    output_tokens,
    output_tokens * (hash % 2),
    300 + output_tokens * 8 + other % 900,
    if(hash % 97 = 0, 'error', 'ok'),
    if(hash % 97 = 0, 'timeout', ''),
    if(app_number = 1 AND purpose = 'purpose-0' AND number >= {events:UInt64} - intDiv({events:UInt64}, 2 * {weeks:UInt64}), 'v14', 'v13'),
    'internal',
    if(away, 'automatic', 'deliberate'),
    if(hash % 89 = 0, NULL, nano),
    if(hash % 89 = 0, 3 * nano, nano),
    'EUR',
    if(hash % 89 = 0, 'unknown', 'list'),
    multiIf(app_name = 'tender-bot', 'unregistered_app', other % 1500 = 0, 'model_not_allowed', 'allowed')
FROM
(
    SELECT
        number,
        cityHash64(number) AS hash,
        cityHash64(number, 1) AS other,
        intDiv(number * 5 * {weeks:UInt64}, {events:UInt64}) AS working_day,
        intDiv(working_day, 5) AS week,
        toDate({first_day:Date} + week * 7 + working_day % 5) AS day,
        -- Ten hours of a working day, from eight on in the zone.
        {start_ms:Int64} + toInt64(week * 7 + working_day % 5) * 86400000 + 28800000
            + toInt64(intDiv((number * 5 * {weeks:UInt64} % {events:UInt64}) * 36000000, {events:UInt64})) AS at_ms,
        fromUnixTimestamp64Milli(at_ms, 'UTC') AS at,
        bitOr(
            bitOr(bitShiftLeft(toUInt128(at_ms), 80), bitShiftLeft(toUInt128(0x7000 + hash % 4096), 64)),
            toUInt128(bitOr(bitShiftLeft(toUInt64(2), 62), bitShiftRight(other, 2)))
        ) AS id,
        -- Some call often and some seldom; each week a few begin and a few end.
        (toUInt64({people:UInt64} * 0.62 * pow((hash % 1000000) / 1000000, 1.5)) + week * intDiv({people:UInt64}, 300))
            % {people:UInt64} AS person,
        concat('p_', leftPad(lower(hex(toUInt32(person))), 32, '0')) AS user_id,
        cityHash64(person, week) % (3 + cityHash64(person) % 6) = 0 AS away,
        (person + if(other % 4 = 0, 2, 0)) % 6 AS app_number,
        if(other % 401 = 0, 'tender-bot', concat('app-', toString(app_number))) AS app_name,
        concat('purpose-', toString((person + if(hash % 9 = 0, 1, 0)) % 3)) AS purpose,
        concat('model-', toString(app_number % 4 + if(hash % 11 = 0, 1, 0))) AS model_name,
        toUInt32(300 + hash % 5000) AS input_tokens,
        toUInt32(40 + other % 700) AS output_tokens,
        toInt64(input_tokens) * 1250 + toInt64(output_tokens) * 10000 AS nano
    FROM numbers({first:UInt64}, {count:UInt64})
) AS calls
ASOF LEFT JOIN
(
    SELECT user_id, team, joined, left FROM roster FINAL WHERE tenant = {tenant:String}
) AS stays
ON calls.user_id = stays.user_id AND calls.day >= stays.joined

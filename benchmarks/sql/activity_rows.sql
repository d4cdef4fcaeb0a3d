-- `count` calls of ten weeks, numbered from `first`: half of them of the tenant big, the others of nine smaller ones.
-- A person uses two apps, each with its models and purposes.
INSERT INTO usage
    (tenant, event_id, ver, inserted_at, occurred_at, received_at, app, use_case, team, user_id, model,
     input_uncached_tokens, output_visible_tokens, status, intent, cost_nano, cost_upper_nano, currency, authorisation)
SELECT
    if(hash % 18 < 9, 'big', concat('small-', toString(hash % 9 + 1))),
    bitShiftLeft(toUInt128(at_ms), 80) + number,
    1,
    now64(3) - INTERVAL 1 HOUR,
    at,
    at + INTERVAL 2 SECOND,
    concat('app-', toString(app_number)),
    concat('purpose-', toString((app_number + hash % 2) % 3)),
    concat('team-', toString(person % 20)),
    concat('person-', toString(person)),
    concat('model-', toString((app_number + hash % 3 % 2) % 4)),
    1000,
    300,
    if(hash % 97 = 0, 'error', 'ok'),
    if(hash % 7 = 0, 'automatic', 'deliberate'),
    if(hash % 89 = 0, NULL, 1000000),
    1000000,
    'EUR',
    if(hash % 83 = 0, 'unregistered_app', 'allowed')
FROM
(
    SELECT
        number,
        cityHash64(number) AS hash,
        cityHash64(number, 1) % if(hash % 18 < 9, 2000, 400) AS person,
        (person + cityHash64(number, 2) % 2) % 5 AS app_number,
        {start_ms:Int64} + toInt64(cityHash64(number, 3) % {span_ms:UInt64}) AS at_ms,
        fromUnixTimestamp64Milli(at_ms, 'UTC') AS at
    FROM numbers({first:UInt64}, {count:UInt64})
)

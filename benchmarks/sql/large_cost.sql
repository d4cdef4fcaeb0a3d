-- What each team is billed a month beside its calls: seats, and a credit for every seventh.
INSERT INTO cost
    (tenant, event_id, ver, inserted_at, occurred_at, received_at, client_id, app, environment, team, category,
     billed_nano, billed_currency, cost_nano, cost_upper_nano, currency, period_start, period_end, invoice_id)
SELECT
    {tenant:String},
    bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(at)), 80), toUInt128(number)),
    1,
    now64(3) - INTERVAL 1 HOUR,
    at,
    at,
    'client-0',
    'app-0',
    'production',
    concat('team-', leftPad(toString(number % {teams:UInt64}), 3, '0')),
    if(number % 7 = 0, 'credit', 'licence'),
    nano,
    'EUR',
    nano,
    nano,
    'EUR',
    month,
    month + INTERVAL 1 MONTH,
    concat('invoice-', toString(number))
FROM
(
    SELECT
        number,
        toDate(toStartOfMonth({first_day:Date}) + toIntervalMonth(intDiv(number, {teams:UInt64}))) AS month,
        toDateTime64(month, 3, 'UTC') + INTERVAL 9 HOUR AS at,
        toInt64(if(number % 7 = 0, -40, 80 + number % 50)) * 1000000000 AS nano
    FROM numbers({teams:UInt64} * 4)
)

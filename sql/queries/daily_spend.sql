-- Spend by local day, team and app: calls, and cost events for the days that they bill, as in the KPI "spend".
-- known_from, the day of the first call (of the first cost where there are no calls), is of all teams.
SELECT day, team, app, known_nano, upper_nano, unpriced_calls, known_from
FROM
(
    SELECT
        day,
        team,
        app,
        sum(known) AS known_nano,
        sum(upper) AS upper_nano,
        sum(unpriced) AS unpriced_calls,
        sum(called) AS calls,
        ifNull(min(if(calls > 0, toNullable(day), NULL)) OVER (), min(day) OVER ()) AS known_from
    FROM
    (
        SELECT
            toDate(occurred_at, {zone:String}) AS day,
            team,
            app,
            ifNull(toInt128(cost_nano), 0) AS known,
            toInt128(cost_upper_nano) AS upper,
            cost_nano IS NULL AS unpriced,
            1 AS called
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT
            addDays(period_start, nth) AS day,
            team,
            app,
            intDiv(toInt128(ifNull(cost_nano, 0)) * (nth + 1), days) - intDiv(toInt128(ifNull(cost_nano, 0)) * nth, days),
            intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * (nth + 1), days)
                - intDiv(toInt128(ifNull(cost_nano, cost_upper_nano)) * nth, days),
            0,
            0
        FROM
        (
            SELECT
                team,
                app,
                cost_nano,
                cost_upper_nano,
                period_start,
                dateDiff('day', period_start, period_end) AS days,
                arrayJoin(
                    range(
                        toUInt32(greatest(dateDiff('day', period_start, {first_day:Date}), 0)),
                        toUInt32(least(dateDiff('day', period_start, {after_day:Date}), days))
                    )
                ) AS nth
            FROM cost FINAL
            WHERE tenant = {tenant:String}
                AND period_start < {after_day:Date} AND period_end > {first_day:Date}
                AND NOT (category = 'inference' AND invoice_id != '')
        )
    )
    GROUP BY day, team, app
)
WHERE empty({teams:Array(String)}) OR team IN {teams:Array(String)}
ORDER BY day, team, app

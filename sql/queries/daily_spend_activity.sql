-- Spend by local day, team and app, calls from activity: see daily_spend.sql.
-- known_from, the day of the first call (of the first cost where there are no calls), is of all teams.
SELECT day, team, app, known_nano, upper_nano, unpriced_calls, known_from
FROM
(
    SELECT
        on_day AS day,
        team,
        app,
        sum(known) AS known_nano,
        sum(upper) AS upper_nano,
        sum(unpriced) AS unpriced_calls,
        sum(called) AS calls,
        ifNull(min(if(calls > 0, toNullable(on_day), NULL)) OVER (), min(on_day) OVER ()) AS known_from
    FROM
    (
        SELECT
            day AS on_day,
            team,
            app,
            known_nano AS known,
            upper_nano AS upper,
            toInt64(unpriced_calls) AS unpriced,
            toInt64(calls) AS called
        FROM activity FINAL
        WHERE tenant = {tenant:String} AND zone = {zone:String}
            AND day >= {first_day:Date} AND day < {after_day:Date}
            AND generation IN {generations:Array(UInt64)}
            AND calls > 0
        UNION ALL
        SELECT
            addDays(period_start, nth) AS on_day,
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
    GROUP BY on_day, team, app
)
WHERE empty({teams:Array(String)}) OR team IN {teams:Array(String)}
ORDER BY day, team, app

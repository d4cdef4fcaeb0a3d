-- What an answer that people took costs: the cost of all answers that they decided, by those that they accepted.
WITH
    latest AS
    (
        SELECT app, response_id, argMax((team, decision, severity), (occurred_at, event_id)) AS last
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND kind = 'decision'
            AND response_id != ''
        GROUP BY app, response_id
    ),
    answers AS
    (
        -- An answer may take several calls.
        SELECT
            app,
            response_id,
            sum(ifNull(toInt128(cost_nano), 0)) AS nano,
            countIf(cost_nano IS NULL) AS unpriced,
            true AS has_call
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND response_id != ''
        GROUP BY app, response_id
    ),
    decided AS
    (
        SELECT
            latest.last.1 AS of_team,
            latest.app AS of_app,
            latest.last.2 AS decision,
            ifNull(latest.last.3 >= {severity:Float64}, false) AS substantial,
            answers.nano AS nano,
            answers.has_call AND answers.unpriced = 0 AS known,
            answers.unpriced > 0 AS unpriced
        FROM latest
        LEFT JOIN answers ON latest.app = answers.app AND latest.response_id = answers.response_id
        WHERE latest.last.2 IN ('accepted', 'edited', 'rejected')
    )
SELECT
    of_team AS team,
    of_app AS app,
    sumIf(nano, known) AS numerator,
    countIf(known AND (decision = 'accepted' OR (decision = 'edited' AND NOT substantial))) AS denominator,
    countIf(unpriced) AS excluded_unpriced_answers,
    countIf(NOT known AND NOT unpriced) AS excluded_answers_without_call,
    countIf(known) AS extra_decided
FROM decided
GROUP BY team, app

-- Answers that people rejected or changed a lot, of all answers that they decided. The last decision on an answer
-- counts; a decision that names no answer counts by itself. The latest row is taken whole, as a tuple: argMax of
-- the nullable severity alone would skip NULL and return the severity of an older decision.
WITH
    -- The order of calls as one number, which is quicker to compare than a tuple.
    (at, id) -> bitOr(bitShiftLeft(toUInt256(toUnixTimestamp64Milli(at)), 128), id) AS order_of,
    latest AS
    (
        SELECT
            app,
            response_id,
            argMax((team, decision, severity), (occurred_at, event_id)) AS last
        FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND kind = 'decision'
        GROUP BY app, response_id, if(response_id = '', event_id, toUInt128(0))
    ),
    shown AS
    (
        SELECT app, response_id, argMax(team, order_of(occurred_at, event_id)) AS shown_to
        FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
            AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
            AND status = 'ok'
            AND response_id != ''
            AND {whole:Bool} -- all calls are read for the coverage alone
        GROUP BY app, response_id
    ),
    decided AS
    (
        SELECT app, response_id, true AS has_decision
        FROM latest
        WHERE response_id != '' AND last.2 IN ('accepted', 'edited', 'rejected')
    )
SELECT
    team,
    app,
    sum(overridden) AS numerator,
    sum(accepted + edited + rejected) AS denominator,
    sum(escalated) AS excluded_escalated,
    sum(covered) AS extra_decided,
    sum(shown_once) AS extra_shown,
    sum(accepted) AS extra_accepted,
    sum(edited) AS extra_edited,
    sum(rejected) AS extra_rejected
FROM
(
    SELECT
        last.1 AS team,
        app,
        last.2 = 'accepted' AS accepted,
        last.2 = 'edited' AS edited,
        last.2 = 'rejected' AS rejected,
        last.2 = 'escalated' AS escalated,
        rejected OR (edited AND ifNull(last.3 >= {severity:Float64}, false)) AS overridden,
        0 AS covered,
        0 AS shown_once
    FROM latest
    UNION ALL
    SELECT shown.shown_to, shown.app, 0, 0, 0, 0, 0, decided.has_decision, 1
    FROM shown
    LEFT JOIN decided ON shown.app = decided.app AND shown.response_id = decided.response_id
)
GROUP BY team, app

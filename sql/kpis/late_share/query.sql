-- Usage and feedback events that arrived more than a day after they happened, of all from SDKs that happened in the
-- period. What no SDK sent was imported, or written some other way of which we cannot tell when it was to arrive.
-- Cost events are left out: an invoice is late by nature.
SELECT
    team,
    app,
    countIf(late AND from_sdk) AS numerator,
    countIf(from_sdk) AS denominator,
    countIf(NOT from_sdk) AS excluded_not_from_sdk
FROM
(
    SELECT team, app, received_at > occurred_at + INTERVAL 1 DAY AS late, client_id != '' AS from_sdk
    FROM usage FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT team, app, received_at > occurred_at + INTERVAL 1 DAY AS late, client_id != '' AS from_sdk
    FROM feedback FINAL
    WHERE tenant = {tenant:String}
        AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
        AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
)
GROUP BY team, app

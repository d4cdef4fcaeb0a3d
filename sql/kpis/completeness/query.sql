-- Events received of the events that apps handed to SDKs, by their cumulative counters. Both are taken by the time of
-- receipt, because the counters come with the batches. A client that never reported is in neither; what a client
-- delivers beyond its counter (events still queued at the period's first edge) makes up for no other's loss.
WITH
    counters AS
    (
        SELECT
            client_id,
            maxIf(accepted, reported_at < {to_:DateTime64(3, 'UTC')})
                - maxIf(accepted, reported_at < {from_:DateTime64(3, 'UTC')}) AS accepted,
            maxIf(dropped, reported_at < {to_:DateTime64(3, 'UTC')})
                - maxIf(dropped, reported_at < {from_:DateTime64(3, 'UTC')}) AS dropped
        FROM sdk_reports FINAL
        WHERE tenant = {tenant:String}
            AND reported_at < {to_:DateTime64(3, 'UTC')}
        GROUP BY client_id
        HAVING countIf(reported_at >= {from_:DateTime64(3, 'UTC')}) > 0
    ),
    arrived AS
    (
        SELECT client_id FROM usage FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from_late:UInt128} AND event_id < {id_to:UInt128}
            AND received_at >= {from_:DateTime64(3, 'UTC')} AND received_at < {to_:DateTime64(3, 'UTC')}
            AND client_id != ''
        UNION ALL
        SELECT client_id FROM feedback FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from_late:UInt128} AND event_id < {id_to:UInt128}
            AND received_at >= {from_:DateTime64(3, 'UTC')} AND received_at < {to_:DateTime64(3, 'UTC')}
            AND client_id != ''
        UNION ALL
        SELECT client_id FROM cost FINAL
        WHERE tenant = {tenant:String}
            AND event_id >= {id_from_late:UInt128} AND event_id < {id_to:UInt128}
            AND received_at >= {from_:DateTime64(3, 'UTC')} AND received_at < {to_:DateTime64(3, 'UTC')}
            AND client_id != ''
    ),
    received AS
    (
        SELECT client_id, count() AS events FROM arrived GROUP BY client_id
    )
SELECT
    '' AS team,
    sum(least(received.events, counters.accepted)) AS numerator,
    sum(counters.accepted) AS denominator,
    count() AS extra_clients,
    sum(counters.dropped) AS extra_dropped
FROM counters
LEFT JOIN received ON counters.client_id = received.client_id

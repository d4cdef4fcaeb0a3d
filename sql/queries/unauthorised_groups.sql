-- Calls that the registry does not allow, grouped by what would have to change: the rule, the app, and the subject
-- of the rule. One row a team.
SELECT
    authorisation AS rule,
    app,
    multiIf(
        authorisation = 'model_not_allowed', model,
        authorisation = 'data_class_not_allowed', data_class,
        authorisation = 'use_case_not_allowed', use_case,
        authorisation = 'team_not_allowed', team,
        ''
    ) AS subject,
    team,
    min(occurred_at) AS first_seen,
    max(occurred_at) AS last_seen,
    count() AS calls,
    uniqExactIf(user_id, user_id != '') AS people,
    sum(ifNull(toInt128(cost_nano), 0)) AS known_nano,
    sum(toInt128(cost_upper_nano)) AS upper_nano,
    countIf(cost_nano IS NULL) AS unpriced_calls,
    arraySort(groupUniqArrayIf(20)(model, model != '')) AS models,
    arraySort(groupUniqArrayIf(20)(data_class, data_class != '')) AS data_classes
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    AND authorisation != 'allowed'
GROUP BY rule, app, subject, team
ORDER BY rule, app, subject, team

-- Which uses that the registry does not allow a period holds, as unauthorised_groups.sql names them, without figures:
-- what was seen before is asked of many weeks.
SELECT DISTINCT
    authorisation AS rule,
    app,
    multiIf(
        authorisation = 'model_not_allowed', model,
        authorisation = 'data_class_not_allowed', data_class,
        authorisation = 'use_case_not_allowed', use_case,
        authorisation = 'team_not_allowed', team,
        ''
    ) AS subject
FROM usage FINAL
WHERE tenant = {tenant:String}
    AND event_id >= {id_from:UInt128} AND event_id < {id_to:UInt128}
    AND occurred_at >= {from_:DateTime64(3, 'UTC')} AND occurred_at < {to_:DateTime64(3, 'UTC')}
    AND authorisation != 'allowed'

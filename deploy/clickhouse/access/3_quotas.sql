-- How much. A dashboard left open, or an analyst's loop, must not starve the workers of the database.

CREATE QUOTA OR REPLACE uptake_operations KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 600, execution_time = 120
    TO uptake_operations;

CREATE QUOTA OR REPLACE uptake_tenant KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 120, execution_time = 120,
    FOR INTERVAL 1 day MAX execution_time = 14400
    TO uptake_tenant;

-- Which rows. Every table with a tenant column is named in both statements (tests/deploy holds that against the
-- migrations): whoever is named in neither sees no row of them.

CREATE ROW POLICY OR REPLACE uptake_all_rows ON
    uptake.usage, uptake.feedback, uptake.cost, uptake.dead_letters, uptake.roster, uptake.generations,
    uptake.sdk_reports, uptake.activity, uptake.activity_builds, uptake.activity_changes
USING 1 TO uptake_schema, uptake_service, uptake_operations;

-- The tenant is part of the user's name (`bi.acme`, `bi.acme.tableau`), which nobody can change: a tenant's own name
-- has no dot. A user whose name is made otherwise sees nothing.
CREATE ROW POLICY OR REPLACE uptake_own_rows ON
    uptake.usage, uptake.feedback, uptake.cost, uptake.dead_letters, uptake.roster, uptake.generations,
    uptake.sdk_reports, uptake.activity, uptake.activity_builds, uptake.activity_changes
USING tenant = splitByChar('.', currentUser())[2] TO uptake_tenant;

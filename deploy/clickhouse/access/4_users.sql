-- The deployment's own users. Only hashes come here; ALTER makes a new password in `.env` the one that counts.

CREATE USER IF NOT EXISTS uptake_migrate IDENTIFIED WITH sha256_hash BY {migrate_sha256:String};
GRANT uptake_schema TO uptake_migrate;
ALTER USER uptake_migrate IDENTIFIED WITH sha256_hash BY {migrate_sha256:String} DEFAULT ROLE uptake_schema;

CREATE USER IF NOT EXISTS uptake IDENTIFIED WITH sha256_hash BY {uptake_sha256:String};
GRANT uptake_service TO uptake;
ALTER USER uptake IDENTIFIED WITH sha256_hash BY {uptake_sha256:String} DEFAULT ROLE uptake_service;

CREATE USER IF NOT EXISTS grafana IDENTIFIED WITH sha256_hash BY {grafana_sha256:String};
GRANT uptake_operations TO grafana;
ALTER USER grafana IDENTIFIED WITH sha256_hash BY {grafana_sha256:String} DEFAULT ROLE uptake_operations;

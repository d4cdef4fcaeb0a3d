-- A tenant's read-only user, for its BI tool. `docker compose run --rm --no-deps access tenant acme` (or `tenant acme tableau`)
-- puts the name in place of @USER@ and makes the password; run it again for a new password. To take it away:
-- `docker compose run --rm --no-deps access forget acme`.

CREATE USER IF NOT EXISTS `@USER@` IDENTIFIED WITH sha256_hash BY {sha256:String};
GRANT uptake_tenant TO `@USER@`;
ALTER USER `@USER@` IDENTIFIED WITH sha256_hash BY {sha256:String} DEFAULT ROLE uptake_tenant;

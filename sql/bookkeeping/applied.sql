SELECT version, statement, name, checksum
FROM schema_migrations FINAL
ORDER BY version, statement

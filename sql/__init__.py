"""Everything that is SQL: migrations, queries, KPIs, and what loads and runs them. No SQL in Python strings."""

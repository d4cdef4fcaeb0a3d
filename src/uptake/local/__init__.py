"""Services for one machine and no container: a real Apache Kafka, and ClickHouse over HTTP from the embedded engine.

For tests, benchmarks and for trying the distributed mode on a laptop; loopback only, not for production.
"""

"""The native servers: real Kafka, PostgreSQL, Redis and InfluxDB from published packages, without containers."""

"""The time-series sink: what the topics carry, stored in InfluxDB or PostgreSQL."""

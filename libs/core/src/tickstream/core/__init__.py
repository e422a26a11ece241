"""What every Tickstream service shares: records, codec, topics, Kafka, settings."""

"""Where a producer touches the world: files, Kafka, signals."""

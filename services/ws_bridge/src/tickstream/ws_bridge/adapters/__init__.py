"""Kafka, the socket, HTTP: one module an outside system."""

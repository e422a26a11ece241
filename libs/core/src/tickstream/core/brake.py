"""Holds back what comes faster than it is wanted."""

from __future__ import annotations

from collections.abc import Collection

from tickstream.core.kafka import Consumer, TopicPartition
from tickstream.core.partition import Partition


class Brake:
    """Pauses partitions of which enough waits, and lets the others go on."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._paused: set[Partition] = set()

    def __call__(self, full: Collection[Partition]) -> None:
        ours = {(each.topic, each.partition) for each in self._consumer.assignment()}
        stopped, freed = (set(full) - self._paused) & ours, (self._paused - set(full)) & ours
        if stopped:
            self._consumer.pause([TopicPartition(*partition) for partition in stopped])
        if freed:
            self._consumer.resume([TopicPartition(*partition) for partition in freed])
        self._paused = set(full) & ours

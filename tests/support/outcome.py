"""What a run of the processor has committed, and how two runs differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from tests.support.histories import Poll, Read, Send
from tests.support.topics import decode, read_messages
from tickstream.core.kafka import Message

Series = tuple[str, ...]
"""A topic, and within it what keeps its order: a symbol and interval, or a key."""

Outcome = dict[Series, list[bytes]]
"""The final records of each series, in the order of the log, to the byte."""

TOPICS: Final = ("bars", "indicators", "market_events", "stock_ticks.dlq")
_SHOWN: Final = 3


def outcome(env: Mapping[str, str]) -> Outcome:
    """Everything final that was committed: closed and revised bars and indicators, gaps, dead letters."""
    found: Outcome = defaultdict(list)
    for topic in TOPICS:
        for message in read_messages(env, topic):
            series = series_of(topic, message)
            if series:
                found[series].append(content_of(topic, message))
    return dict(found)


def final(topic: str, message: Message) -> bytes | None:
    """The content of a final record of the processor's; none for others."""
    return content_of(topic, message) if series_of(topic, message) else None


def sends(env: Mapping[str, str]) -> list[Send]:
    """What a run that does the same has to send: all that this one has committed, each series in order."""
    return [
        Send(f"{topic}-{message.partition()}", content_of(topic, message), sender=str(series))
        for topic in TOPICS
        for message in read_messages(env, topic)
        if (series := series_of(topic, message))
    ]


def polls(env: Mapping[str, str]) -> list[Poll]:
    """Everything final, read from the logs' beginnings to their ends."""
    return [
        Poll(
            "at the end",
            tuple(
                Read(f"{topic}-{message.partition()}", message.offset() or 0, content)
                for message in read_messages(env, topic)
                if (content := final(topic, message)) is not None
            ),
        )
        for topic in TOPICS
    ]


def series_of(topic: str, message: Message) -> Series | None:
    """The series that a record belongs to; none where it isn't final, or not the processor's."""
    value = message.value() or b""
    if topic == "stock_ticks.dlq":
        return topic, (message.key() or b"").decode()
    row = decode(topic, value)
    if topic == "market_events":
        return (topic, row["symbol"], row["source"]) if row["type"] == "gap" else None
    return (topic, row["symbol"], row["interval"]) if row["state"] == "closed" else None


def content_of(topic: str, message: Message) -> bytes:
    """The record's bytes; of a dead letter also its headers, less the time of its failure."""
    value = message.value() or b""
    if topic != "stock_ticks.dlq":
        return value
    headers = dict(message.headers() or [])
    headers.pop("failed_at", None)
    return repr((sorted(headers.items()), value)).encode()


def differences(found: Outcome, wanted: Outcome) -> list[str]:
    """Where two runs differ, series by series, in words; empty when they don't."""
    told = []
    for series in sorted(found.keys() | wanted.keys()):
        ours, theirs = found.get(series, []), wanted.get(series, [])
        if ours == theirs:
            continue
        place = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
        at = min(len(ours), len(theirs)) if place is None else place
        told.append(
            f"{series}: {len(ours)} records instead of {len(theirs)}, from the {at}th on:\n"
            f"  {_plain(series, ours[at : at + _SHOWN])}\n  instead of\n  {_plain(series, theirs[at : at + _SHOWN])}"
        )
    return told


def _plain(series: Series, values: list[bytes]) -> list[object]:
    return [value if series[0] == "stock_ticks.dlq" else decode(series[0], value) for value in values]

"""The Avro schemas of the topics and their fixed ids, as the folder schemas/ has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

Schema = Mapping[str, Any]

_FOLDER: Final = files("tickstream.core") / "schemas"


@dataclass(frozen=True, slots=True)
class TopicSchema:
    """What a topic's values look like, and the id that says so when there is no registry."""

    topic: str
    id: int
    schema: Schema

    @property
    def name(self) -> str:
        """The record's name, such as Tick."""
        return str(self.schema["name"])


@cache
def current() -> Mapping[str, TopicSchema]:
    """The schema that each topic is written with today, by the topic's name."""
    return {entry.topic: entry for entry in _read(_FOLDER)}


@cache
def kept() -> Mapping[int, TopicSchema]:
    """Every schema that some version of Tickstream wrote with, by its fixed id."""
    versions = sorted((_FOLDER / "versions").iterdir(), key=lambda folder: folder.name)
    return {entry.id: entry for version in versions for entry in _read(version)}


def _read(folder: Traversable) -> Iterator[TopicSchema]:
    for topic, schema_id in json.loads((folder / "ids.json").read_text("utf-8")).items():
        yield TopicSchema(topic, schema_id, json.loads((folder / f"{topic}.avsc").read_text("utf-8")))

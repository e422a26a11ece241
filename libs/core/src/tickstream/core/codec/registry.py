"""Which schema an id stands for: the fixed ids of schemas/, or a registry's."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

from tickstream.core.codec.schemas import Schema, TopicSchema, kept
from tickstream.core.errors import FatalError, RetryableError

_CONTENT: Final = "application/vnd.schemaregistry.v1+json"
_TIMEOUT_SECONDS: Final = 10.0


class Registry(Protocol):
    """Gives schemas ids, and finds them by id."""

    def id_of(self, schema: TopicSchema) -> int:
        """The id to write a topic's values with.

        Raises:
            RetryableError: the registry doesn't answer.
            FatalError: it refuses the schema.
        """
        ...

    def schema(self, schema_id: int) -> Schema | None:
        """The schema behind an id, None where there is none.

        Raises:
            RetryableError: the registry doesn't answer.
        """
        ...


class FixedIds:
    """The ids that schemas/ declares."""

    def id_of(self, schema: TopicSchema) -> int:
        """The id that is declared for the topic."""
        return schema.id

    def schema(self, schema_id: int) -> Schema | None:
        """The schema that any version of Tickstream declared under this id."""
        entry = kept().get(schema_id)
        return entry.schema if entry is not None else None


class ConfluentRegistry:
    """A registry with Confluent's API; asked each time, so callers keep what they got.

    Args:
        url: its address; a user and a password in it are sent as basic authentication.
        topic_prefix: stands before the topics' names, so also before the subjects'.
    """

    def __init__(self, url: str, topic_prefix: str = "") -> None:
        parts = urlsplit(url)
        self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
        self._headers = {"Content-Type": _CONTENT, "Accept": f"{_CONTENT}, application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        self._prefix = topic_prefix

    def id_of(self, schema: TopicSchema) -> int:
        """Register the topic's schema, which changes nothing when it is there already."""
        subject = f"{self._prefix}{schema.topic}-value"
        body = json.dumps({"schema": json.dumps(schema.schema)}).encode()
        try:
            answer = self._ask(f"/subjects/{quote(subject, safe='')}/versions", body)
        except HTTPError as error:
            raise FatalError(f"schema registry refuses the schema of {subject}: {_said(error)}") from error
        return int(answer["id"])

    def schema(self, schema_id: int) -> Schema | None:
        """The schema behind an id, None where there is none or it isn't Avro in JSON."""
        try:
            answer = self._ask(f"/schemas/ids/{schema_id}")
        except HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return None
            raise RetryableError(f"schema registry gives no schema {schema_id}: {_said(error)}") from error
        if answer.get("schemaType", "AVRO") != "AVRO":
            return None
        try:
            found = json.loads(answer["schema"])
        except (KeyError, TypeError, ValueError):
            return None
        return found if isinstance(found, dict) else {"type": found}

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        request = Request(self._url + path, data=body, headers=self._headers)  # noqa: S310 - settings allow http(s) only
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
                return dict(json.load(answer))
        except HTTPError as error:
            if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code == HTTPStatus.TOO_MANY_REQUESTS:
                raise RetryableError(f"schema registry at {self._url} fails: {_said(error)}") from error
            raise
        except (URLError, OSError, ValueError) as error:
            raise RetryableError(f"schema registry at {self._url} doesn't answer: {error}") from error


def _said(error: HTTPError) -> str:
    return f"{error.code} {error.read(500).decode(errors='replace')}".strip()

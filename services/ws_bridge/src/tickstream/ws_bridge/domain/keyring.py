"""Keys that were shown, what the database last said of them, and how long that counts."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from tickstream.core.access import Scope
from tickstream.ws_bridge.domain.grant import Allowance, Grant


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored.

    Attributes:
        digest: the SHA-256 of its text.
        expires_ns: in nanoseconds since the epoch; None: never.
        may_write: as in its grant.
    """

    id: str
    name: str
    digest: bytes
    scope: Scope
    allowance: Allowance
    expires_ns: int | None
    revoked: bool
    may_write: bool = False

    def is_shown_by(self, digest: bytes) -> bool:
        """Whether this is the digest, in time that doesn't depend on how much of it is right."""
        return hmac.compare_digest(self.digest, digest)

    def ended(self, now_ns: int) -> bool:
        """Whether it has been revoked or has expired."""
        return self.revoked or (self.expires_ns is not None and self.expires_ns <= now_ns)

    def grant(self) -> Grant:
        """What it allows."""
        holder = f"key:{self.id}"
        return Grant(holder, self.name, self.scope, self.allowance, self.expires_ns, self.id, self.may_write)


class Standing(Enum):
    """What has become of a grant."""

    GOOD = 0
    ENDED = 1
    UNCONFIRMED = 2
    """For too long nobody could say."""


class Keyring:
    """Remembers keys whose secret has been shown, so it never holds more than there are.

    Args:
        fresh_seconds: for so long what the database said is taken as it is.
        grace_seconds: for so long when the database is away.
    """

    def __init__(self, fresh_seconds: float, grace_seconds: float) -> None:
        self._fresh_seconds = fresh_seconds
        self._grace_seconds = grace_seconds
        self._keys: dict[str, tuple[StoredKey, float]] = {}

    def learn(self, key: StoredKey, now: float) -> None:
        """The database has this key; `now` in seconds, on a clock that never goes back, as everywhere here."""
        self._keys[key.id] = (key, now)

    def fresh(self, key_id: str, now: float) -> StoredKey | None:
        """A key that need not be asked for again yet."""
        return self._not_older(key_id, now - self._fresh_seconds)

    def known(self, key_id: str, now: float) -> StoredKey | None:
        """A key that counts while nobody can be asked."""
        return self._not_older(key_id, now - self._grace_seconds)

    def review(self, asked: Collection[str], found: Mapping[str, StoredKey], now: float) -> None:
        """Take in what the database says of the keys in use, and forget others that don't count any more."""
        for key_id in asked:
            self._keys.pop(key_id, None)
        for key in found.values():
            self.learn(key, now)
        for key_id in [one for one in self._keys if self.known(one, now) is None]:
            del self._keys[key_id]

    def standing(self, grant: Grant, now: float, now_ns: int) -> Standing:
        """What has become of a grant since it was given."""
        if grant.key_id is None:
            expired = grant.expires_ns is not None and grant.expires_ns <= now_ns
            return Standing.ENDED if expired else Standing.GOOD
        key, asked = self._keys.get(grant.key_id, (None, now))
        if key is None or key.ended(now_ns):
            return Standing.ENDED
        return Standing.GOOD if now - asked <= self._grace_seconds else Standing.UNCONFIRMED

    def _not_older(self, key_id: str, oldest: float) -> StoredKey | None:
        key, asked = self._keys.get(key_id, (None, oldest))
        return key if asked >= oldest else None

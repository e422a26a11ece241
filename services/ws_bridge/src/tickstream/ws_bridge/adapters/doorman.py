"""Decides who comes in: by the file of keys, the database's keys or the gateway's tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tickstream.core.access import key_digest, key_id_of
from tickstream.core.clock import Clock
from tickstream.core.errors import RetryableError
from tickstream.ws_bridge.adapters.key_store import KeyStore
from tickstream.ws_bridge.adapters.tokens import Tokens
from tickstream.ws_bridge.domain.access import ApiKeys
from tickstream.ws_bridge.domain.grant import Grant
from tickstream.ws_bridge.domain.keyring import Keyring, Standing, StoredKey
from tickstream.ws_bridge.domain.protocol import RefusalError

_MAX_WAITING: Final = 2_000


@dataclass(frozen=True, slots=True)
class Proofs:
    """What may be shown at the door; None: that isn't taken."""

    file_keys: ApiKeys | None = None
    store: KeyStore | None = None
    tokens: Tokens | None = None


class Doorman:
    """Checks what is shown, and later whether it still counts.

    Args:
        proofs: what may be shown.
        keyring: remembers the database's keys.
        check_seconds: from one look at the keys in use to the next.
        clock: for expiry.
    """

    def __init__(self, proofs: Proofs, keyring: Keyring, check_seconds: float, clock: Clock) -> None:
        self._proofs = proofs
        self._keyring = keyring
        self._check_seconds = check_seconds
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def admit(self, auth: object) -> Grant:
        """What the `auth` of a connection allows.

        Raises:
            RefusalError: nothing, or nobody can say now.
        """
        shown = {name: value for name, value in auth.items() if value is not None} if isinstance(auth, dict) else {}
        if set(shown) == {"token"} and self._proofs.tokens is not None:
            return self._proofs.tokens.grant(shown["token"])
        if set(shown) == {"apiKey"}:
            return await self.admit_key(shown["apiKey"])
        taken = "auth: {apiKey}" if self._proofs.tokens is None else "auth: {apiKey} or {token}"
        raise RefusalError("unauthorized", f"{taken} with a valid one is needed")

    async def admit_key(self, key: object) -> Grant:
        """What an API key allows.

        Raises:
            RefusalError: nothing, or nobody can say now.
        """
        grant = None if self._proofs.file_keys is None else self._proofs.file_keys.grant_of(key)
        if grant is not None:
            return grant
        key_id = key_id_of(key) if isinstance(key, str) else None
        if self._proofs.store is None or key_id is None or not isinstance(key, str):
            raise RefusalError("unauthorized", "the API key is not valid")
        stored = await self._stored(self._proofs.store, key_id, key_digest(key))
        if stored is None:
            raise RefusalError("unauthorized", "the API key is not valid")
        if stored.ended(self._clock.now_ns()):
            raise RefusalError("unauthorized", "the key has been revoked" if stored.revoked else "the key has expired")
        return stored.grant()

    async def admit_bearer(self, text: str) -> Grant:
        """What a key or a token allows, whichever it is: a token has two dots, a key that was made by us none.

        Raises:
            RefusalError: nothing, or nobody can say now.
        """
        if self._proofs.tokens is not None and text.count(".") == 2:
            return self._proofs.tokens.grant(text)
        return await self.admit_key(text)

    def standing(self, grant: Grant, now: float, now_ns: int) -> Standing:
        """What has become of a grant since it was given; see `Keyring.standing`."""
        return self._keyring.standing(grant, now, now_ns)

    async def follow(self, in_use: Callable[[], set[str]]) -> None:
        """Look at the keys in use again and again, until cancelled.

        Args:
            in_use: gives their ids.
        """
        store = self._proofs.store
        while store is not None:
            await asyncio.sleep(self._check_seconds)
            key_ids, now = in_use(), self._clock.monotonic()
            try:
                self._keyring.review(key_ids, await store.find(key_ids) if key_ids else {}, now)
            except RetryableError:
                continue

    async def _stored(self, store: KeyStore, key_id: str, digest: bytes) -> StoredKey | None:
        """The key that is shown; from memory when that is fresh, or nobody can be asked."""
        key = self._keyring.fresh(key_id, self._clock.monotonic())
        if key is None:
            if self._waiting >= _MAX_WAITING:
                raise _nobody_to_ask()
            self._waiting += 1
            try:
                key = await self._asked(store, key_id, digest)
            finally:
                self._waiting -= 1
        return key if key is not None and key.is_shown_by(digest) else None

    async def _asked(self, store: KeyStore, key_id: str, digest: bytes) -> StoredKey | None:
        async with self._turn:
            now = self._clock.monotonic()
            key = self._keyring.fresh(key_id, now)
            if key is not None:
                return key
            try:
                key = (await store.find([key_id])).get(key_id)
            except RetryableError:
                key = self._keyring.known(key_id, now)
                if key is None:
                    raise _nobody_to_ask() from None
                return key
            if key is not None and key.is_shown_by(digest):
                self._keyring.learn(key, now)
            return key


def _nobody_to_ask() -> RefusalError:
    return RefusalError("internal", "keys can't be checked at the moment: try again")

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tickstream.core.access import UNBOUNDED
from tickstream.ws_bridge.domain.grant import Allowance, Grant
from tickstream.ws_bridge.domain.keyring import Keyring, Standing, StoredKey

SECOND = 10**9
FRESH, GRACE = 2.0, 30.0


def key(key_id: str = "a", expires_ns: int | None = None, *, revoked: bool = False) -> StoredKey:
    digest = hashlib.sha256(key_id.encode()).digest()
    return StoredKey(key_id, "ann", digest, UNBOUNDED, Allowance(), expires_ns, revoked)


def test_only_the_right_digest_shows_a_key() -> None:
    assert key().is_shown_by(hashlib.sha256(b"a").digest())
    for wrong in (b"", hashlib.sha256(b"b").digest(), hashlib.sha256(b"a").digest()[:31]):
        assert not key().is_shown_by(wrong)


def test_a_key_counts_as_it_is_for_a_short_while_and_longer_while_nobody_can_be_asked() -> None:
    ring = Keyring(FRESH, GRACE)
    ring.learn(key(), 100.0)
    assert [ring.fresh("a", now) is not None for now in (100.0, 102.0, 102.1)] == [True, True, False]
    assert [ring.known("a", now) is not None for now in (102.1, 130.0, 130.1)] == [True, True, False]
    assert ring.fresh("b", 100.0) is ring.known("b", 100.0) is None


def test_a_grant_ends_when_its_key_expires_is_revoked_or_deleted() -> None:
    ring = Keyring(FRESH, GRACE)
    ring.learn(key(expires_ns=50 * SECOND), 0.0)
    grant = key(expires_ns=50 * SECOND).grant()
    assert ring.standing(grant, 1.0, 50 * SECOND - 1) is Standing.GOOD
    assert ring.standing(grant, 1.0, 50 * SECOND) is Standing.ENDED
    ring.review({"a"}, {"a": key(expires_ns=90 * SECOND)}, 2.0)
    assert ring.standing(grant, 2.0, 50 * SECOND) is Standing.GOOD
    ring.review({"a"}, {"a": key(revoked=True)}, 3.0)
    assert ring.standing(grant, 3.0, SECOND) is Standing.ENDED
    ring.review({"a"}, {"a": key()}, 4.0)
    ring.review({"a"}, {}, 5.0)
    assert ring.standing(grant, 5.0, SECOND) is Standing.ENDED


def test_a_grant_that_nobody_could_confirm_for_too_long_is_told_apart() -> None:
    ring = Keyring(FRESH, GRACE)
    ring.learn(key(), 0.0)
    assert ring.standing(key().grant(), GRACE, SECOND) is Standing.GOOD
    assert ring.standing(key().grant(), GRACE + 1, SECOND) is Standing.UNCONFIRMED


def test_grants_without_a_stored_key_end_with_their_time() -> None:
    ring = Keyring(FRESH, GRACE)
    grant = Grant("subject:ann", "ann", expires_ns=9)
    assert [ring.standing(grant, 0.0, now) for now in (8, 9)] == [Standing.GOOD, Standing.ENDED]
    assert ring.standing(replace(grant, expires_ns=None), 0.0, 10**30) is Standing.GOOD


@settings(max_examples=60, stateful_step_count=30)
class Rings(RuleBasedStateMachine):
    """A key ring beside a plain list of what was said when."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.ring = Keyring(FRESH, GRACE)
        self.said: dict[str, tuple[float, StoredKey]] = {}

    @rule(seconds=st.floats(0, 20))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(key_id=st.sampled_from("abc"), revoked=st.booleans())
    def learn(self, key_id: str, revoked: bool) -> None:
        self.ring.learn(key(key_id, revoked=revoked), self.now)
        self.said[key_id] = (self.now, key(key_id, revoked=revoked))

    @rule(asked=st.sets(st.sampled_from("abc")), there=st.sets(st.sampled_from("abc")))
    def review(self, asked: set[str], there: set[str]) -> None:
        found = {one: key(one) for one in asked & there}
        self.ring.review(asked, found, self.now)
        for one in asked:
            self.said.pop(one, None)
        self.said |= {one: (self.now, key(one)) for one in found}
        self.said = {one: (at, said) for one, (at, said) in self.said.items() if at >= self.now - GRACE}

    @invariant()
    def says_what_was_said(self) -> None:
        for key_id in "abc":
            at, said = self.said.get(key_id, (-1000.0, None))
            assert self.ring.fresh(key_id, self.now) == (said if at >= self.now - FRESH else None)
            assert self.ring.known(key_id, self.now) == (said if at >= self.now - GRACE else None)


TestRings = Rings.TestCase

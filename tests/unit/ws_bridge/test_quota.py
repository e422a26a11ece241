from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.grant import Allowance
from tickstream.ws_bridge.domain.protocol import Limits, RefusalError
from tickstream.ws_bridge.domain.quota import Quota, Quotas


def test_connections_are_counted_for_each_holder_and_places_come_back() -> None:
    quotas = Quotas("this key")
    two = Allowance(connections=2)
    first = quotas.connect("ann", two, 0.0)
    assert quotas.connect("ann", two, 0.0) is first
    with pytest.raises(RefusalError, match="this key may have 2 connections") as refused:
        quotas.connect("ann", two, 0.0)
    assert refused.value.code == "rate_limited"
    quotas.connect("bob", two, 0.0)
    quotas.leave(first, 0.0)
    assert quotas.connect("ann", two, 0.0) is first


def test_a_narrower_allowance_counts_from_the_next_connection_on() -> None:
    quotas = Quotas("this key")
    quota = quotas.connect("ann", Allowance(), 0.0)
    quotas.connect("ann", Allowance(), 0.0)
    with pytest.raises(RefusalError):
        quotas.connect("ann", Allowance(connections=2), 0.0)
    assert quota.connections == 2


def test_subscriptions_have_their_own_limit() -> None:
    quota = Quota("this address", Allowance(subscriptions=3), 0.0)
    quota.subscriptions = 2
    quota.subscribe()
    quota.subscriptions = 3
    with pytest.raises(RefusalError) as refused:
        quota.subscribe()
    assert refused.value.code == "too_many_subscriptions"


@given(st.lists(st.floats(0, 1), max_size=100), st.integers(1, 5))
def test_never_more_commands_than_the_rate_and_a_burst(gaps: list[float], rate: int) -> None:
    quota = Quota("this key", Allowance(commands_per_second=rate), 0.0)
    now, taken = 0.0, 0
    for gap in gaps:
        now += gap
        with contextlib.suppress(RefusalError):
            quota.command(now)
            taken += 1
        assert taken <= rate * now + 2 * rate + 1e-6


def test_nothing_is_gained_by_going_and_coming_back_and_who_is_gone_is_forgotten() -> None:
    quotas = Quotas("this address")
    one = Allowance(commands_per_second=1)
    quota = quotas.connect("::1", one, 0.0)
    quota.command(0.0)
    quota.command(0.0)
    quotas.leave(quota, 0.0)
    quotas.sweep(1.9)
    again = quotas.connect("::1", one, 1.9)
    again.command(1.9)
    with pytest.raises(RefusalError):
        again.command(1.9)
    quotas.sweep(10.0)
    assert len(quotas) == 1
    quotas.leave(again, 10.0)
    quotas.sweep(12.0)
    assert len(quotas) == 0


def test_limits_are_told_as_they_are_for_this_key() -> None:
    limits = Limits(max_symbols=10, max_subscriptions=5, commands_per_second=10, max_hz=20)
    assert limits.within(Allowance()) == limits
    narrower = limits.within(Allowance(connections=1, subscriptions=2, commands_per_second=100))
    assert (narrower.max_subscriptions, narrower.commands_per_second) == (2, 10)

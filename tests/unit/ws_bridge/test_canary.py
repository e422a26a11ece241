from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.canary import Canary

LIMIT = 3.0


def flush(canary: Canary) -> None:
    canary.flush_began()
    canary.flush_ended()


def test_what_comes_through_in_time_is_no_ailment() -> None:
    canary = Canary(LIMIT)
    canary.published(0, 7, now=10.0)
    assert (canary.ailment(13.0), canary.age(13.0)) == (None, 3.0)
    canary.heard({0: 8}, now=13.0)
    flush(canary)
    assert (canary.ailment(99.0), canary.age(99.0)) == (None, 0.0)


def test_what_has_not_come_is_named_with_its_partition() -> None:
    canary = Canary(LIMIT)
    canary.published(0, 7, now=10.0)
    canary.published(1, 3, now=10.5)
    canary.heard({0: 8, 1: 3}, now=11.0)
    flush(canary)
    assert canary.ailment(13.5) is None
    assert canary.ailment(13.6) == "what Kafka took in partition 1 of system_metrics 3.1 s ago has not come"


def test_what_was_heard_counts_only_after_a_flush_that_began_later() -> None:
    canary = Canary(LIMIT)
    canary.published(0, 7, now=10.0)
    canary.flush_began()
    canary.heard({0: 8}, now=10.5)
    canary.flush_ended()
    assert canary.ailment(14.0) == "what Kafka took in partition 0 of system_metrics 4.0 s ago was not sent on"
    canary.flush_began()
    assert canary.ailment(14.0) is not None
    canary.flush_ended()
    assert canary.ailment(14.0) is None


def test_a_canary_may_be_heard_before_kafka_acknowledges_it() -> None:
    canary = Canary(LIMIT)
    canary.heard({0: 8}, now=10.0)
    flush(canary)
    canary.published(0, 7, now=10.1)
    assert canary.age(99.0) == 0.0


def test_deaf_is_to_whom_nothing_comes_and_not_who_is_late() -> None:
    canary = Canary(LIMIT)
    canary.published(0, 100, now=10.0)
    canary.heard({0: 50}, now=17.0)
    assert canary.ailment(18.0) is not None
    assert not canary.deaf(18.0, 8.0)
    assert canary.deaf(25.1, 8.0)
    canary.heard({0: 101}, now=26.0)
    assert not canary.deaf(99.0, 8.0)


@given(
    silent_from=st.floats(0.0, 20.0),
    phase=st.floats(0.0, 1.0),
    trip=st.floats(0.0, 0.5),
    stage=st.sampled_from(["reading", "flushing"]),
)
def test_a_node_is_ill_within_five_seconds_of_its_silence_and_never_before(
    silent_from: float, phase: float, trip: float, stage: str
) -> None:
    """One canary a second, each heard `trip` seconds after it was published, until the silence begins."""
    canary = Canary(LIMIT)
    events = sorted(
        event for number in range(40) for event in ((number + phase, 0, number), (number + phase + trip, 1, number))
    )
    ill = None
    looks = iter([look / 10 for look in range(400)])
    look = next(looks)
    for at, heard, number in events:
        while look < at:
            if ill is None and canary.ailment(look) is not None:
                ill = look
            look = next(looks)
        if not heard:
            canary.published(0, number, at)
        elif at < silent_from or stage == "flushing":
            canary.heard({0: number + 1}, at)
            if at < silent_from:
                flush(canary)
        if look > 38:
            break
    assert ill is not None
    assert silent_from < ill <= max(silent_from, phase) + 5.0

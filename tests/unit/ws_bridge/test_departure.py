from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.departure import departures


@given(count=st.integers(0, 3_000), most=st.floats(0.0, 30.0), seed=st.integers())
def test_all_go_within_the_time_evenly_and_at_most_so_many_a_second_where_there_is_time(
    count: int, most: float, seed: int
) -> None:
    clients = [f"c{number}" for number in range(count)]
    going = departures(clients, most, Random(seed))  # noqa: S311 - no secret
    assert sorted(client for _seconds, client in going) == sorted(clients)
    times = [seconds for seconds, _client in going]
    assert all(0 <= seconds <= most * (1 + 1e-9) for seconds in times)
    steps = [later - earlier for earlier, later in pairwise([0.0, *times])]
    assert all(abs(step - min(0.005, most / count)) < 1e-9 for step in steps)


def test_the_order_is_left_to_chance() -> None:
    clients = [f"c{number}" for number in range(50)]
    orders = {tuple(client for _seconds, client in departures(clients, 5.0, Random(seed))) for seed in range(5)}  # noqa: S311 - no secret
    assert len(orders) == 5

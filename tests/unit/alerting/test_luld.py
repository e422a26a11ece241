from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.alerting.test_evaluate import short, tick, watch
from tickstream.alerting.domain.luld import UNITS, Bands, PriceBands, bands_of
from tickstream.alerting.domain.rule import NearBand, PercentMove, PriceLevel
from tickstream.core.model import MarketEvent, Tick
from tickstream.core.outages import Outages

SECOND = 10**9
OPEN = 1_381_239_000 * SECOND
"""A Tuesday, 09:30 in New York."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
CLOSE = 6.5 * HOUR

Trade = tuple[float, float]
"""Seconds since the open, and a price."""
Halt = tuple[float | None, float | None]
"""Seconds since the open at which trading was halted, and went on; None where that wasn't told."""


@pytest.mark.parametrize(
    ("reference", "previous_close", "tier", "late", "expected"),
    [
        (100, 100, 1, False, (95, 105)),
        (100, 100, 1, True, (90, 110)),
        (100, 100, 2, False, (90, 110)),
        (100, 100, 2, True, (90, 110)),
        (3.01, 3.01, 1, False, (2.86, 3.16)),
        (3, 3, 1, False, (2.4, 3.6)),
        (3, 3, 2, False, (2.4, 3.6)),
        (3, 3, 1, True, (1.8, 4.2)),
        (3, 3, 2, True, (1.8, 4.2)),
        (0.75, 0.75, 2, False, (0.6, 0.9)),
        (0.74, 0.74, 1, False, (0.59, 0.89)),
        (0.74, 0.74, 2, True, (0.44, 1.04)),
        (0.12, 0.12, 1, False, (0.03, 0.21)),
        (0.12, 0.12, 1, True, (0, 0.3)),
        (2.9, 3.1, 1, False, (2.76, 3.05)),
        (3.2, 2.8, 1, False, (2.56, 3.84)),
        (10.03, 10, 1, False, (9.53, 10.53)),
    ],
)
def test_bands_are_those_of_appendix_a(
    reference: float, previous_close: float, tier: int, late: bool, expected: tuple[float, float]
) -> None:
    found = bands_of(round(reference * UNITS), round(previous_close * UNITS), tier, 1.0, late=late)
    assert tuple(each / UNITS for each in found) == expected


def test_the_percentage_of_a_leveraged_product_is_multiplied() -> None:
    assert bands_of(50 * UNITS, 50 * UNITS, 2, 3.0, late=False) == (35 * UNITS, 65 * UNITS)
    assert bands_of(50 * UNITS, 50 * UNITS, 1, 3.0, late=False) == (475 * UNITS // 10, 525 * UNITS // 10)


def references(trades: Sequence[Trade], tier: int = 1) -> list[float]:
    """The reference price that each trade comes upon."""
    return extend(PriceBands(tier), trades)[2]


def extend(bands: PriceBands, trades: Sequence[Trade], halts: Sequence[Halt] = ()) -> list[list[float]]:
    found = bands_upon(bands, trades, halts)
    return [found.lower.tolist(), found.upper.tolist(), found.reference.tolist()]


def applied(trades: Sequence[Trade], halts: Sequence[Halt]) -> list[bool]:
    """Whether bands were in force when each trade came."""
    return list(bands_upon(PriceBands(1), trades, halts).apply)


def bands_upon(bands: PriceBands, trades: Sequence[Trade], halts: Sequence[Halt]) -> Bands:
    outages = Outages()
    for halt in halts:
        for name, at in zip(("halt", "resume"), halt, strict=True):
            if at is not None:
                outages.take(MarketEvent(name, OPEN + round(at * SECOND), symbol="SPY"))
    ts = np.array([OPEN + round(at * SECOND) for at, _ in trades], dtype=np.int64)
    return bands.extend(ts, np.array([price for _, price in trades]), outages.halted.get("SPY", ()))


def test_the_opening_price_is_the_first_reference() -> None:
    assert references([(-60, 50), (0.5, 10), (1, 10.05)]) == [0, 10, 10]


def test_a_reference_stays_until_the_mean_is_one_percent_away() -> None:
    assert references([(0, 10), (1, 10.19), (60, 10), (61, 10)])[2:] == [10, 10]
    assert references([(0, 10), (1, 10.2), (60, 10), (61, 10)])[2:] == [10.1, 10.1]


def test_a_reference_stays_for_thirty_seconds() -> None:
    trades = [(0, 10), (10, 10.3), (29, 10.15), (30, 10.15), (30.5, 10.15)]
    assert references(trades) == [10, 10, 10, 10, 10.15]


def test_the_reference_moves_while_nothing_is_traded_too() -> None:
    """At 09:30:30 it becomes 10.15, so the next one may come from 09:31:00 on, and does at 09:31:05."""
    trades = [(0, 10), (10, 10.3), (45, 10.4), (59, 10.5), (60.5, 10.3)]
    assert references(trades)[2:] == [10.15, 10.15, 10.3]


def test_trades_count_for_five_minutes() -> None:
    trades = [(0, 10), (60, 10.15), (299.5, 10.07), (300.5, 10.1)]
    assert references(trades) == [10, 10, 10, 10.11]


def test_without_trades_the_reference_stays() -> None:
    assert references([(0, 10), (60, 10.15), (3600, 10.2), (3601, 10.2)]) == [10, 10, 10.15, 10.15]


def test_bands_are_wider_in_the_last_twenty_five_minutes() -> None:
    given = [(0, 100.0), (CLOSE - 25 * MINUTE - 1, 100), (CLOSE - 25 * MINUTE, 100)]
    lower, upper, _ = extend(PriceBands(1), given)
    assert list(zip(lower, upper, strict=True)) == [(95, 105), (95, 105), (90, 110)]


def test_a_day_goes_by_the_last_price_of_the_day_before() -> None:
    """It closed at 3.00, so 20 %, although it opens at 3.10."""
    given = [(0, 3.0), (CLOSE + 1, 9.0), (DAY, 3.1)]
    lower, upper, reference = extend(PriceBands(1), given)
    assert (lower[2], upper[2], reference[2]) == (2.48, 3.72, 3.1)


def test_in_a_limit_state_the_reference_stays() -> None:
    """105 is the band; by 09:31:12 the mean is 2.5 % away, and taken once a trade is below it."""
    given = [(0, 100), (60, 105), (72, 105), (74, 104), (75, 104)]
    assert references(given)[2:] == [100, 100, pytest.approx(103.5)]


def test_after_a_pause_the_first_price_is_the_reference() -> None:
    given = [(0, 100), (1, 105), (16 + 300, 108), (16 + 301, 108)]
    lower, upper, reference = extend(PriceBands(1), given)
    assert reference == [100, 100, 108, 108]
    assert (lower[2], upper[2]) == (102.6, 113.4)


def test_what_is_traded_before_a_pause_could_be_over_says_that_there_is_none() -> None:
    given = [(0, 100), (1, 105), (16 + 299, 105), (16 + 320, 105)]
    assert references(given)[2:] == [100, 105], "the mean of what was traded in the last five minutes"
    beyond = [(0.0, 100.0), *((60.0 + each, 130.0) for each in range(400))]
    assert references(beyond)[-1] > 129, "bands that nobody keeps to don't stay for ever"


def test_a_declared_halt_is_the_pause_and_its_end_the_reopening() -> None:
    """It is halted at 09:30:16 for ten minutes: what is traded meanwhile says nothing."""
    given, halts = [(0, 100), (1, 105), (316, 90), (615, 91), (616, 98), (617, 97)], [(16, 616)]
    lower, upper, reference = extend(PriceBands(1), given, halts)
    assert reference == [100, 100, 100, 100, 98, 98]
    assert (lower[-1], upper[-1]) == (93.1, 102.9)
    assert applied(given, halts) == [True, True, False, False, True, True]


def test_a_halt_shorter_than_a_pause_ends_the_limit_state_too() -> None:
    given = [(0, 100), (1, 105), (60, 104.9), (61, 104.9)]
    assert references(given) == [100, 100, 102.5, 102.5]
    assert extend(PriceBands(1), given, [(16, 60)])[2] == [100, 100, 104.9, 104.9]


def test_a_halt_for_news_needs_no_limit_state() -> None:
    given = [(0, 100), (1, 100), (3600, 120), (3601, 119)]
    assert extend(PriceBands(1), given, [(10, 3600)])[2] == [100, 100, 120, 120]


def test_of_a_halt_with_one_end_the_other_lies_five_minutes_away() -> None:
    given = [(0, 100), (299, 102), (310, 103), (311, 103)]
    assert extend(PriceBands(1), given, [(10, None)])[2] == [100, 100, 103, 103]
    assert applied(given, [(10, None)]) == [True, False, True, True]
    assert applied(given, [(None, 400)]) == [True, False, False, False]
    assert applied(given, [(None, 300)]) == [True, False, True, True]


def test_who_is_halted_over_night_opens_when_it_goes_on() -> None:
    given = [(0, 100), (DAY, 90), (DAY + 900, 80), (DAY + 901, 80)]
    assert extend(PriceBands(1), given, [(CLOSE, DAY + 900)])[2] == [100, 100, 80, 80]


def naive(trades: Sequence[tuple[int, int]], reopenings: Sequence[int] = ()) -> list[Fraction]:
    """References by looking at every second anew; trades come at whole seconds of one session, prices in cents."""
    found: list[Fraction] = []
    reference, since, opened, touched = Fraction(0), 0, 0, -1
    for now in range(trades[0][0], trades[-1][0] + 1):
        for index, (at, price) in enumerate(trades):
            if at != now:
                continue
            taken = trades[:index]
            reopened = bool(taken) and any(taken[-1][0] < end <= now for end in reopenings)
            if not taken or reopened or (touched >= 0 and now - touched >= 315):
                reference, since, opened, touched = Fraction(price), now, index, -1
            elif touched >= 0 and now - touched >= 15:
                touched = -1
                mean = _mean([p for a, p in taken[opened:] if a > now - 300])
                if now - since >= 30 and mean is not None and abs(mean - reference) * 100 >= reference:
                    reference, since = mean, now
            found.append(reference)
            inside = _cents(reference * 95 / 100) < price < _cents(reference * 105 / 100)
            touched = -1 if inside else touched if touched >= 0 else now
        mean = _mean([p for a, p in trades[opened:] if now - 300 < a <= now])
        moved = mean is not None and abs(mean - reference) * 100 >= reference
        if mean is not None and moved and touched < 0 and now - since >= 30:
            reference, since = mean, now
    return found


def _mean(prices: Sequence[int]) -> Fraction | None:
    return Fraction(sum(prices), len(prices)) if prices else None


def _cents(price: Fraction) -> int:
    return int((price + Fraction(1, 2)).__floor__())


_GAPS = st.one_of(st.integers(0, 12), st.integers(0, 90), st.integers(280, 340))
_STEPS = st.lists(st.tuples(_GAPS, st.integers(-260, 260)), min_size=1, max_size=40)


def walked(steps: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    times = np.cumsum([gap for gap, _ in steps]).tolist()
    prices = np.maximum(4000, 5000 + np.cumsum([change for _, change in steps])).tolist()
    return list(zip(times, prices, strict=True))


@settings(max_examples=200, deadline=None)
@given(_STEPS)
def test_references_are_those_of_looking_at_every_second(steps: list[tuple[int, int]]) -> None:
    trades = walked(steps)
    found = references([(at, price / 100) for at, price in trades])
    assert found == pytest.approx([float(each) / 100 for each in naive(trades)], abs=2 / UNITS)


_HALTS = st.lists(st.tuples(st.integers(1, 900), st.integers(1, 700)), max_size=3)


@settings(max_examples=200, deadline=None)
@given(_STEPS, _HALTS)
def test_with_halts_they_are_too(steps: list[tuple[int, int]], halts: list[tuple[int, int]]) -> None:
    trades = walked(steps)
    changes = np.cumsum(halts).tolist()
    stretches = list(zip(changes[::2], changes[1::2], strict=True))
    counts = [not any(begin < at < end for begin, end in stretches) for at, _ in trades]
    found = extend(PriceBands(1), [(at, price / 100) for at, price in trades], stretches)[2]
    left = [each for each, count in zip(trades, counts, strict=True) if count]
    expected = naive(left, changes[1::2]) if left else []
    counted = [each for each, count in zip(found, counts, strict=True) if count]
    assert counted == pytest.approx([float(each) / 100 for each in expected], abs=2 / UNITS)


NEAR = NearBand(("*",), 1.0, hysteresis=0.5)
AT = NearBand(("*",), 0.0)


def ticks(trades: Sequence[Trade]) -> list[Tick]:
    return [tick(OPEN + round(at * SECOND), price, seq) for seq, (at, price) in enumerate(trades, 1)]


@settings(max_examples=100, deadline=None)
@given(_STEPS, st.integers(1, 15))
def test_batches_and_restarts_change_nothing(steps: list[tuple[int, int]], batch: int) -> None:
    given = ticks([(at, price / 100) for at, price in walked(steps)])
    conditions = (NEAR, AT, NearBand((), 2.0), PriceLevel("above", 50.0), PercentMove("either", 3.0, 60 * SECOND))
    order = lambda t: (t.rule_id, t.ts_event, t.alert_id, t.revision)  # noqa: E731 - a sort key
    whole = watch(given, *conditions, hold_ns=15 * SECOND)
    assert sorted(watch(given, *conditions, hold_ns=15 * SECOND, batch=batch), key=order) == sorted(whole, key=order)


def test_what_is_kept_of_a_stock_is_small() -> None:
    bands = PriceBands(1)
    extend(bands, [(second / 10, 100 + second % 7 / 100) for second in range(36_000)])
    assert len(json.dumps(bands.dump(), separators=(",", ":"))) < 5_000


def test_an_alert_names_the_band_and_ends_with_a_price_further_away() -> None:
    given = ticks([(0, 100), (10, 103.9), (20, 104), (22, 103.8), (23, 103), (24, 95.2)])
    near, away, low = watch(given, NEAR)
    assert short([near, away, low]) == [
        ("SPY", "firing", OPEN + 20 * SECOND, 104.0),
        ("SPY", "resolved", OPEN + 23 * SECOND, 103.0),
        ("SPY", "firing", OPEN + 24 * SECOND, 95.2),
    ]
    assert near.summary == "SPY price 104, within 1 % of the price band 105 (upper, reference 100)"
    assert low.summary == "SPY price 95.2, within 1 % of the price band 95 (lower, reference 100)"
    assert near.threshold == 105.0


def test_a_presumed_pause_is_fifteen_seconds_at_the_band() -> None:
    given = ticks([(0, 100), (10, 105), (24, 105.2), (400, 104)])
    found = watch(given, AT, hold_ns=15 * SECOND)
    assert [(t.state, t.ts_event - OPEN) for t in found] == [
        ("pending", 10 * SECOND),
        ("firing", 25 * SECOND),
        ("resolved", 400 * SECOND),
    ]
    assert found[1].summary == "SPY price 105.2, at the price band 105 (upper, reference 100)"


def test_outside_regular_hours_there_are_no_bands() -> None:
    given = ticks([(-60, 200), (0, 100), (CLOSE - 1, 110), (CLOSE, 111), (CLOSE + 1, 150)])
    assert [(t.state, t.ts_event - OPEN) for t in watch(given, AT)] == [
        ("firing", round(CLOSE - 1) * SECOND),
        ("resolved", round(CLOSE) * SECOND),
    ]


def test_a_stock_is_of_tier_1_when_the_rule_says_so() -> None:
    given = ticks([(0, 100), (10, 106)])
    assert [bool(watch(given, NearBand(each, 0.0))) for each in (("SPY",), ("S*",), ("AIG",), ())] == [
        True, True, False, False
    ]  # fmt: skip

"""The simulated market: its statistics with fixed seeds, its sessions, and that it repeats itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints, TickColumns
from tickstream.producer.domain.characters import KNOWN, Character, character_of
from tickstream.producer.domain.chunks import Chunk, concat
from tickstream.producer.domain.market import CONTINUOUS_YEAR, Market, Stretch, on_grid, volume_curve
from tickstream.producer.domain.simulator import Simulator, paced

SECOND = 10**9
START = int(datetime(2024, 7, 3, 12, tzinfo=UTC).timestamp()) * SECOND
DAY = Stretch(START, START + 86_400 * SECOND)


def market_day(characters: Mapping[str, Character], seed: int, seconds: int = 20_000) -> TickColumns:
    """A stretch of a market that never closes, drawn at once."""
    market = Market(characters, "sim", CONTINUOUS_YEAR)
    return market.trade(np.random.default_rng(seed), START, START + seconds * SECOND, DAY)


def returns(trades: TickColumns, code: int, every: int, seconds: int) -> Floats:
    """Logarithmic returns of one symbol over equal intervals."""
    mine = trades.symbol.codes == code
    grid: Ints = np.arange(START + 10 * SECOND, START + seconds * SECOND, every * SECOND)
    rows = np.searchsorted(trades.ts_event[mine], grid, side="right") - 1
    path: Floats = np.log(trades.price[mine][rows])
    return np.diff(path)


def chunks(
    count: int, seed: int = 7, calendar: str = "XNYS", characters: Mapping[str, Character] = KNOWN
) -> list[Chunk]:
    return list(islice(Simulator(characters, "sim", seed, calendar, START).chunks(), count))


def test_the_realised_volatility_is_the_one_that_was_asked_for() -> None:
    characters = {
        "CALM": Character(100.0, 0.0, 0.15, 0.5, jumps=0, interval=1.0, tick=1e-6),
        "WILD": Character(100.0, 0.0, 0.60, 0.5, jumps=0, interval=1.0, tick=1e-6),
    }
    trades = market_day(characters, 1)
    for code, character in enumerate(characters.values()):
        found = returns(trades, code, 10, 20_000)
        yearly = float(np.sqrt(np.mean(found**2) / 10 * CONTINUOUS_YEAR.seconds))
        # The estimate's own standard deviation is 1 / sqrt(2 n), some 1.6 %.
        assert yearly == pytest.approx(character.volatility, rel=0.06)


def test_two_symbols_correlate_by_the_product_of_their_ties_to_the_market() -> None:
    one = Character(100.0, 0.0, 0.3, 0.9, jumps=0, interval=0.2, tick=1e-6)
    characters = {
        "A": one,
        "B": replace(one, market=0.8),
        "C": replace(one, market=0.0),
        "D": replace(one, market=-0.7),
    }
    trades = market_day(characters, 2)
    moves = np.corrcoef([returns(trades, code, 20, 20_000) for code in range(4)])
    # n is about 1,000: a standard deviation of 0.03 at most, and prices are up to 0.3 s old.
    assert moves[0, 1] == pytest.approx(0.72, abs=0.08)
    assert moves[0, 2] == pytest.approx(0.0, abs=0.11)
    assert moves[0, 3] == pytest.approx(-0.63, abs=0.09)


def test_jumps_come_as_often_and_as_large_as_asked() -> None:
    character = Character(100.0, 0.0, 1e-6, 0.0, jumps=864.0, jump=0.02, interval=0.5, tick=1e-9)
    moves = np.diff(np.log(market_day({"J": character}, 3).price))
    leaps = moves[np.abs(moves) > 1e-5]
    # 20,000 s are 200 expected jumps, give or take 14.
    assert 155 < len(leaps) < 245
    assert float(np.std(leaps)) == pytest.approx(0.02, rel=0.2)


def test_drift_moves_the_mean() -> None:
    up = Character(100.0, 2000.0, 0.01, 0.0, jumps=0, tick=1e-6)
    trades = market_day({"UP": up}, 4)
    span = float(trades.ts_event[-1] - trades.ts_event[0]) / SECOND / CONTINUOUS_YEAR.seconds
    assert float(np.log(trades.price[-1] / trades.price[0])) == pytest.approx(2000.0 * span, rel=0.01)


def test_each_symbol_trades_every_one_to_five_seconds() -> None:
    trades = market_day(KNOWN, 5, 5000)
    for code in range(len(KNOWN)):
        gaps = np.diff(trades.ts_event[trades.symbol.codes == code]) / SECOND
        assert gaps.min() >= 1.0
        assert gaps.max() <= 5.0
        assert float(gaps.mean()) == pytest.approx(3.0, rel=0.05)


def test_volume_follows_a_u_over_the_session() -> None:
    trades = market_day({"U": Character(100.0, interval=0.5)}, 6, 86_400)
    parts: NDArray[np.float64] = np.array(
        [part.sum() for part in np.array_split(trades.volume, 6)],
    )
    assert parts[0] > 1.5 * parts[2]
    assert parts[5] > 1.5 * parts[3]
    assert float(np.mean(volume_curve(np.linspace(0, 1, 10_001)))) == pytest.approx(1.0, abs=1e-3)


def test_prices_lie_on_the_grid_as_decimals_do() -> None:
    prices = market_day(KNOWN, 7, 1000).price
    assert all(float(f"{price:.2f}") == price for price in prices.tolist())
    assert on_grid(np.array([0.001, 10.13]), np.array([0.01, 0.25])).tolist() == [0.01, 10.25]


def test_the_same_seed_gives_the_same_trades_and_another_gives_others() -> None:
    one, same, other = (concat([chunk.columns for chunk in chunks(60, seed)]).to_ticks() for seed in (7, 7, 8))
    assert one == same
    assert [tick.price for tick in one] != [tick.price for tick in other]


def test_trades_lie_in_their_step_in_the_order_of_time_and_are_counted_without_gap() -> None:
    start, counts = START, dict.fromkeys(KNOWN, 0)
    for chunk in chunks(60, calendar="24/7"):
        assert (np.diff(chunk.due) >= 0).all()
        assert ((chunk.due >= start) & (chunk.due < chunk.until)).all()
        start = chunk.until
        for tick in chunk.columns.to_ticks():
            counts[tick.symbol] += 1
            assert tick.seq == counts[tick.symbol]


def test_the_market_trades_in_regular_hours_only_and_keeps_holidays_and_early_closes() -> None:
    """2024-07-03 closed at 13:00, the 4th was a holiday, the 5th opened at 09:30 New York."""
    simulator = Simulator({"SPY": Character(100.0, interval=60.0)}, "sim", 1, "XNYS", START)
    trading = [chunk for chunk in islice(simulator.chunks(), 12_650) if len(chunk)]
    moments = [datetime.fromtimestamp(ts / SECOND, UTC) for chunk in trading for ts in chunk.due.tolist()]
    third = [moment for moment in moments if moment.day == 3]
    fifth = [moment for moment in moments if moment.day != 3]
    assert datetime(2024, 7, 3, 13, 30, tzinfo=UTC) <= min(third)
    assert max(third) < datetime(2024, 7, 3, 17, 0, tzinfo=UTC)
    assert min(fifth) >= datetime(2024, 7, 5, 13, 30, tzinfo=UTC)


def test_a_rate_is_shared_in_the_symbols_own_proportions() -> None:
    found = concat([chunk.columns for chunk in chunks(10, calendar="24/7", characters=paced(KNOWN, 20_000))])
    assert len(found) == pytest.approx(200_000, rel=0.02)


def test_symbols_can_come_and_go_and_prices_go_on() -> None:
    simulator = Simulator({"A": Character(100.0), "B": Character(50.0)}, "sim", 1, "24/7", START)
    running = simulator.chunks()
    before = concat([chunk.columns for chunk in islice(running, 30)])
    simulator.reconfigure({"B": Character(50.0), "C": Character(10.0)})
    after = concat([chunk.columns for chunk in islice(running, 30)])
    assert set(after.symbol.to_list()) == {"B", "C"}
    last = before.price[before.symbol.codes == 1][-1]
    first = after.price[after.symbol.codes == 1][0]
    assert first == pytest.approx(last, rel=0.01)
    assert after.seq[after.symbol.codes == 1][0] == before.seq[before.symbol.codes == 1][-1] + 1


def test_an_unknown_symbol_has_a_character_of_its_own_that_never_changes() -> None:
    assert character_of("ACME") == character_of("ACME") != character_of("ACMF")
    assert 10 <= character_of("ACME").price <= 500

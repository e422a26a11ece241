"""Questions about the past, and what of it the bridge keeps itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.market import MINUTE, bar
from tickstream.core.errors import RetryableError
from tickstream.ws_bridge.adapters.past_influxdb import flux_text, rows_of
from tickstream.ws_bridge.domain.entry import Entry
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.past import read_past_request
from tickstream.ws_bridge.domain.protocol import RefusalError

ASKED = {"symbol": "BRK.B", "interval": "5m", "before_ms": "1381239000000", "limit": "7"}


def test_a_question_names_symbol_interval_and_time() -> None:
    request = read_past_request("bars", ASKED)
    assert (request.symbol, request.interval.name, request.limit) == ("BRK.B", "5m", 7)
    assert request.before == 1_381_239_000_000_000_000
    assert read_past_request("bars", {name: ASKED[name] for name in ("symbol", "interval", "before_ms")}).limit == 1_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("symbol", ""),
        ("symbol", "A B"),
        ("symbol", "A" * 65),
        ("interval", "7m"),
        ("interval", ""),
        ("before_ms", "-1"),
        ("before_ms", "9" * 15),
        ("before_ms", "1e9"),
        ("limit", "0"),
        ("limit", "5001"),
        ("frm", "1"),
    ],
)
def test_what_is_no_question_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(RefusalError, match=name) as refusal:
        read_past_request("bars", ASKED | {name: value})
    assert refusal.value.code == "bad_request"


def test_the_bridge_gives_the_last_closed_bars_before_a_time_late_ones_in_their_place() -> None:
    market = Market(history=100, max_records=1_000, max_symbols=10)
    for number in (1, 2, 5, 6, 3):
        entry = Entry(("bars", "1m", "AIG"), None, str(number).encode())
        market.record(bar("AIG", number), entry)
    market.record(bar("AIG", 7, "partial"), Entry(("bars", "1m", "AIG"), None, b"7"))

    def bodies(before: int, count: int) -> list[bytes]:
        return [entry.body for _start, entry in market.closed_before("bars", "1m", "AIG", before, count)]

    assert bodies(100 * MINUTE, 10) == [b"1", b"2", b"3", b"5", b"6"]
    assert bodies(5 * MINUTE, 2) == [b"2", b"3"]
    assert bodies(MINUTE, 2) == []
    assert market.closed_before("bars", "5m", "AIG", 100 * MINUTE, 10) == []


@given(st.text())
def test_no_text_leaves_its_literal(text: str) -> None:
    literal = flux_text(text)
    inside = literal[1:-1].replace("\\\\", "").replace('\\"', "").replace("\\${", "")
    assert '"' not in inside
    assert "${" not in inside


def test_fields_come_together_by_time_from_tables_with_heads_of_their_own() -> None:
    text = (
        ",result,table,_time,_field,_value\r\n"
        ",_result,0,2013-10-08T13:30:00Z,close,165.5\r\n"
        ",_result,0,2013-10-08T13:31:00.000000001Z,close,166\r\n"
        "\r\n"
        ",result,table,_time,_field,_value\r\n"
        ",_result,1,2013-10-08T13:30:00Z,activity,traded\r\n"
        ",_result,1,2013-10-08T13:30:00Z,trades,9223372036854775807\r\n"
    )
    opening = 1_381_239_000_000_000_000
    assert rows_of(text) == [
        (opening, {"close": 165.5, "activity": "traded", "trades": 2**63 - 1}),
        (opening + MINUTE + 1, {"close": 166.0}),
    ]
    assert rows_of("\r\n") == []
    with pytest.raises(RetryableError, match="out of memory"):
        rows_of(",error,reference\r\n,out of memory,897\r\n")

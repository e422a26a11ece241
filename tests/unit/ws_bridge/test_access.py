from __future__ import annotations

import hashlib

import pytest

from tickstream.core.access import UNBOUNDED
from tickstream.ws_bridge.domain.access import (
    ApiKeys,
    host_allowed,
    is_whole_origin,
    origin_allowed,
    read_keys,
    siteless,
)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def test_a_key_is_recognised_by_its_digest() -> None:
    keys = ApiKeys(read_keys(f"# ours\n\nann:{digest('first')}\nbob:{digest('second').upper()}\n"))
    for key, name in (("first", "ann"), ("second", "bob")):
        grant = keys.grant_of(key)
        assert grant is not None
        assert (grant.name, grant.scope, grant.may_write) == (name, UNBOUNDED, False)
    for wrong in ("third", "", None, 7, ["first"], digest("first"), "x" * 1000):
        assert keys.grant_of(wrong) is None


def test_a_key_of_the_file_may_write_where_its_line_says_so() -> None:
    keys = ApiKeys(read_keys(f"ann:{digest('first')}:write\nbob:{digest('second')}"))
    grants = [keys.grant_of(key) for key in ("first", "second")]
    assert [grant is not None and grant.may_write for grant in grants] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann:12",
        "ann",
        f"a b:{digest('x')}",
        f"a:{digest('x')}\na:{digest('y')}",
        f"a:{digest('x')}:",
        f"a:{digest('x')}:Write",
        f"a:{digest('x')}:write:write",
    ],
)
def test_a_file_of_keys_that_is_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_keys(text)


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("localhost:8080", True),
        ("127.0.0.1", True),
        ("[::1]:8080", True),
        ("tick.internal", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("evil@localhost", False),
        ("localhost/evil", False),
        ("localhost:port", False),
        ("", False),
        (None, False),
    ],
)
def test_on_loopback_only_this_machines_names_are_answered(header: str | None, allowed: bool) -> None:
    assert host_allowed(header, {"tick.internal"}) is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8080", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("https://dash.example", True),
        ("http://localhost:9090", False),
        ("https://localhost:8080", False),
        ("http://localhost", False),
        ("http://evil.example:8080", False),
        ("https://dash.example.evil.example", False),
        ("http://dash.example", False),
        ("null", False),
        ("file://", False),
        ("", False),
    ],
)
def test_a_page_of_another_origin_may_not_connect(origin: str, allowed: bool) -> None:
    assert origin_allowed(origin, "localhost:8080", "http", {"https://dash.example"}) is allowed


def test_default_ports_are_the_same_as_none() -> None:
    assert origin_allowed("https://tick.example", "tick.example:443", "https", ())
    assert not origin_allowed("https://tick.example", None, "https", ())


@pytest.mark.parametrize(
    ("fetch_site", "allowed"),
    [(None, True), ("same-origin", True), ("none", True), ("same-site", False), ("cross-site", False), ("", False)],
)
def test_without_an_origin_programs_may_come_and_what_another_site_makes_a_browser_do_may_not(
    fetch_site: str | None, allowed: bool
) -> None:
    assert siteless(fetch_site) is allowed


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("https://dash.example", True),
        ("http://dash.example:8080", True),
        ("http://[::1]:8080", True),
        ("https://Dash.example", False),
        ("https://dash.example:443", False),
        ("https://dash.example/", False),
        ("https://*.example", False),
        ("https://dash.example?x", False),
        ("https://ann@dash.example", False),
        ("dash.example", False),
        ("*", False),
        ("null", False),
    ],
)
def test_the_list_of_origins_holds_only_what_a_browser_can_send(text: str, whole: bool) -> None:
    assert is_whole_origin(text) is whole

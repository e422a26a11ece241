from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
import urllib3

from tests.integration.alerting.conftest import Market, select
from tests.support.programs import Running, run, service, until
from tickstream.alerting.adapters.schema import migrate
from tickstream.alerting.spec import KINDS

pytestmark = pytest.mark.integration

LEVEL = {"name": "spy", "kind": "price_level", "symbols": ["SPY"], "parameters": {"direction": "above", "level": 166}}
KEY = "a-key-for-the-test"


class Api:
    """A client of the service's API."""

    def __init__(self, running: Running) -> None:
        self._url = running.url
        self._http = urllib3.PoolManager()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        given = {"X-API-Key": KEY} | {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else (body if isinstance(body, bytes) else orjson.dumps(body))
        if content is not None:
            given.setdefault("Content-Type", "application/json")
        answer = self._http.request(method, self._url + path, body=content, headers=given, retries=False)
        if answer.status >= 400:
            assert answer.headers["Content-Type"].startswith("application/problem+json")
        return answer.status, orjson.loads(answer.data) if answer.data else None


@pytest.fixture
def running(market: Market, tmp_path: Path) -> Iterator[Running]:
    with service("tickstream-alerting", env=market.env | {"ALERTING_API_KEY": KEY}, log=tmp_path / "log") as found:
        found.await_ready()
        yield found


@pytest.fixture
def api(running: Running) -> Api:
    return Api(running)


def test_rules_are_made_read_replaced_and_deleted(api: Api) -> None:
    status, made = api("POST", "/api/v1/rules", LEVEL)
    assert (status, made["version"], made["severity"]) == (201, 1, "warning")
    assert api("GET", f"/api/v1/rules/{made['id']}") == (200, made)
    status, listed = api("GET", "/api/v1/rules")
    assert [rule["name"] for rule in listed["items"]] == ["high", "low", "move", "spy"]

    status, replaced = api("PUT", f"/api/v1/rules/{made['id']}", LEVEL | {"severity": "critical", "enabled": False})
    assert (status, replaced["version"], replaced["severity"], replaced["enabled"]) == (200, 2, "critical", False)
    assert api("DELETE", f"/api/v1/rules/{made['id']}") == (204, None)
    assert api("GET", f"/api/v1/rules/{made['id']}")[0] == 404
    assert api("DELETE", f"/api/v1/rules/{made['id']}")[0] == 404


def test_every_version_of_a_rule_is_kept_with_who_made_it_and_can_be_had_again(api: Api, market: Market) -> None:
    schedule = {"sessions": ["regular"], "calendar": "XNYS"}
    _, made = api("POST", "/api/v1/rules", LEVEL | {"schedule": schedule}, X_Tickstream_Actor="Bj%C3%B6rn")
    path = f"/api/v1/rules/{made['id']}"
    assert made["schedule"] | schedule == made["schedule"]
    api("PUT", path, LEVEL | {"severity": "critical"})
    with psycopg.connect(market.env["DATABASE_URL"]) as connection:
        connection.execute("UPDATE alert_rules SET for_seconds = 7 WHERE id = %s", [made["id"]])
        role = connection.info.user
    api("DELETE", path)
    status, versions = api("GET", f"{path}/versions")
    said = [(one["version"], one["change"], one["by"]) for one in versions["items"]]
    assert (status, said) == (
        200, [(4, "deleted", "the API"), (3, "changed", role), (2, "changed", "the API"), (1, "made", "Björn")]
    )  # fmt: skip
    assert [one["rule"]["for_seconds"] for one in versions["items"]] == [7, 7, 0, 0]

    status, back = api("POST", f"{path}/versions/1/restore")
    assert (status, back["version"], back["severity"], back["schedule"]) == (200, 5, "warning", made["schedule"])
    assert api("GET", path) == (200, back)
    assert api("POST", f"{path}/versions/2/restore")[1]["severity"] == "critical"
    assert api("POST", f"{path}/versions/99/restore")[0] == 404
    api("PUT", path, LEVEL | {"name": "other"})
    api("POST", "/api/v1/rules", LEVEL)
    assert api("POST", f"{path}/versions/1/restore")[0] == 409
    assert api("GET", "/api/v1/rules/00000000-0000-0000-0000-000000000000/versions")[0] == 404
    assert select(market.env, "SELECT DISTINCT changed_by FROM alert_rule_versions WHERE rule ->> 'name' = 'high'") == [
        {"changed_by": "the rules file"}
    ]


def test_of_a_rule_the_last_hundred_versions_are_kept(api: Api, market: Market) -> None:
    _, made = api("POST", "/api/v1/rules", LEVEL)
    with psycopg.connect(market.env["DATABASE_URL"]) as connection:
        for number in range(120):
            connection.execute("UPDATE alert_rules SET for_seconds = %s WHERE id = %s", [number, made["id"]])
    _, versions = api("GET", f"/api/v1/rules/{made['id']}/versions")
    assert [one["version"] for one in versions["items"]] == list(range(121, 21, -1))


def test_what_is_wrong_is_said_as_problem_details(api: Api) -> None:
    status, problem = api("POST", "/api/v1/rules", {"name": "", "kind": "price_level", "parameters": {"level": -1}})
    assert status == 422
    pointers = {error["pointer"] for error in problem["errors"]}
    assert pointers == {"#/name", "#/parameters/level", "#/parameters/direction"}
    assert api("POST", "/api/v1/rules", b"{", Content_Type="application/json")[0] == 400
    assert api("POST", "/api/v1/rules", LEVEL, Content_Type="text/plain")[0] == 415
    assert api("POST", "/api/v1/rules", LEVEL | {"name": "x" * 300_000})[0] == 413
    assert api("POST", "/api/v1/rules", LEVEL | {"name": "high"})[0] == 409
    assert api("GET", "/api/v1/rules/seven")[0] == 404
    assert api("PATCH", "/api/v1/rules")[0] == 405
    assert api("GET", "/api/v1/nothing")[0] == 404
    assert api("GET", "/api/v1/alerts?state=burning")[0] == 400


def test_the_schema_of_rules_names_every_kind_with_its_parameters(api: Api) -> None:
    status, schema = api("GET", "/api/v1/rules/schema")
    assert status == 200
    breaker = schema["$defs"]["CircuitBreakerParameters"]
    assert breaker["properties"]["level"]["enum"] == [1, 2, 3]
    assert breaker["required"] == ["level"]
    assert set(schema["discriminator"]["mapping"]) == set(KINDS)


def test_without_the_key_nothing_is_told_except_health(api: Api, running: Running) -> None:
    assert api("GET", "/api/v1/rules", X_API_Key="wrong")[0] == 401
    assert api("GET", "/api/v1/rules", X_API_Key="")[0] == 401
    assert api("GET", "/api/v1/rules", X_API_Key="", Authorization=f"Bearer {KEY}")[0] == 200
    assert api("GET", "/healthz", X_API_Key="")[0] == 200
    running.await_ready()


def test_a_rule_about_groups_is_kept_with_them_for_symbols(api: Api) -> None:
    given = {
        "name": "behind",
        "kind": "expression",
        "symbols": ["group:Oil & Gas", "group:b*"],
        "parameters": {"when": "group.returns[1d].equal_weighted < -1"},
    }
    status, made = api("POST", "/api/v1/rules", given)
    assert (status, made["symbols"]) == (201, given["symbols"])
    status, problem = api("PUT", f"/api/v1/rules/{made['id']}", given | {"symbols": ["group:b*", "SPY"]})
    assert (status, [one["pointer"] for one in problem["errors"]]) == (422, ["#/symbols/1"])
    status, problem = api("PUT", f"/api/v1/rules/{made['id']}", given | {"parameters": {"when": "group.returns < -1"}})
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/parameters/when")
    assert "expected group.NAME[WINDOW].VALUE" in problem["errors"][0]["detail"]


def test_a_rule_works_as_soon_as_it_is_made_and_its_alerts_end_with_it(api: Api, market: Market) -> None:
    _, made = api(
        "POST",
        "/api/v1/rules",
        LEVEL | {"name": "any", "symbols": ["S1?"], "parameters": {"direction": "above", "level": 1}},
    )
    until(lambda: _rules_in_force(api) == 4, "the rule wasn't loaded")
    market.publish(market.ticks[:500])
    until(lambda: len(_alerts(api, f"rule={made['id']}&state=firing")) == 2, "no alert")
    assert {alert["symbol"] for alert in _alerts(api, "rule=any")} == {"S10", "S11"}

    api("DELETE", f"/api/v1/rules/{made['id']}")
    until(lambda: len(_alerts(api, "rule=any&state=resolved")) == 2, "the alerts didn't end")
    _, alert = api("GET", f"/api/v1/alerts/{_alerts(api, 'rule=any')[0]['alert_id']}")
    assert [t["state"] for t in alert["transitions"]] == ["firing", "resolved"]
    assert "deleted" in alert["transitions"][-1]["reason"]


def test_rules_written_by_sql_count_too(api: Api, market: Market) -> None:
    with psycopg.connect(market.env["DATABASE_URL"]) as connection:
        connection.execute(
            "INSERT INTO alert_rules (name, kind, parameters) VALUES"
            " ('sql', 'price_level', '{\"direction\": \"above\", \"level\": 1}'), ('bad', 'price_level', '{}')"
        )
    until(lambda: _rules_in_force(api) == 4, "the rule wasn't loaded")


def test_alerts_come_in_pages_newest_first(api: Api, market: Market) -> None:
    market.publish(market.ticks)
    expected = {life[0] for life in market.expected()}
    until(lambda: len(select(market.env, "SELECT 1 FROM alerts")) == len(expected), "alerts are missing")
    seen: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        _, page = api("GET", f"/api/v1/alerts?limit=50{cursor and f'&cursor={cursor}'}")
        seen += page["items"]
        cursor = page["next_cursor"]
    assert {alert["alert_id"] for alert in seen} == expected
    assert len(seen) == len(expected)
    assert [alert["began_ms"] for alert in seen] == sorted((alert["began_ms"] for alert in seen), reverse=True)
    assert {alert["symbol"] for alert in _alerts(api, "symbol=S00,S01")} == {"S00", "S01"}


def test_migrations_run_once_however_many_start(isolated_env: dict[str, str]) -> None:
    threads = [threading.Thread(target=migrate, args=[isolated_env["DATABASE_URL"]]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    done = run("tickstream-alerting", "--migrate-only", env=isolated_env)
    assert done.returncode == 0, done.stderr
    symbols = {row["symbol"] for row in select(isolated_env, "SELECT symbol FROM instruments")}
    assert {"AIG", "BAC", "SPY"} <= symbols


def test_all_bad_settings_are_named() -> None:
    done = run("tickstream-alerting", "--http-host", "0.0.0.0", "--http-port", "x", "--rules-file", "/no", env={})
    assert done.returncode == 2
    for name in ("HTTP_PORT", "ALERTING_RULES_FILE"):
        assert name in done.stderr


def _alerts(api: Api, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("GET", f"/api/v1/alerts?{query}")[1]["items"]
    return found


def _all_alerts(api: Api, query: str = "") -> list[dict[str, Any]]:
    """Page after page."""
    found: list[dict[str, Any]] = []
    more: str | None = ""
    while more is not None:
        page = api("GET", f"/api/v1/alerts?limit=500&{query}" + (f"&cursor={more}" if more else ""))[1]
        found += page["items"]
        more = page["next_cursor"]
    return found


def _rules_in_force(api: Api) -> float:
    page = urllib3.request("GET", api._url + "/metrics", timeout=60.0).data.decode()
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith("alerting_rules_enabled "))


def test_who_has_seen_to_an_alert_is_kept_and_told_to_all(api: Api, market: Market) -> None:
    market.publish(market.ticks)
    until(lambda: bool(_alerts(api)), "no alert")
    alert = _alerts(api)[0]
    assert alert["acknowledged"] is None
    path = f"/api/v1/alerts/{alert['alert_id']}/acknowledgement"
    status, seen = api("PUT", path, {"by": "Ada", "comment": " on it "})
    assert (status, seen["acknowledged"]["by"], seen["acknowledged"]["comment"]) == (200, "Ada", "on it")
    assert _alerts(api)[0]["acknowledged"] == seen["acknowledged"]
    _, other = api("PUT", path, {"by": "Ada"}, X_Tickstream_Actor="Bj%C3%B6rn")
    assert (other["acknowledged"]["by"], other["acknowledged"]["comment"]) == ("Björn", "")
    assert api("DELETE", path)[1]["acknowledged"] is None
    assert api("PUT", path, {"comment": "x" * 1001})[0] == 422
    assert api("PUT", path, {"comment": 7, "of": 1})[0] == 422
    missing = "/api/v1/alerts/00000000-0000-0000-0000-000000000000/acknowledgement"
    assert api("PUT", missing, {})[0] == 404


def test_alerts_are_found_by_severity_and_by_words(api: Api, market: Market) -> None:
    market.publish(market.ticks)
    expected = len(market.expected())
    until(lambda: len(select(market.env, "SELECT 1 FROM alert_transitions")) == expected, "transitions are missing")
    everything = _all_alerts(api)
    symbol = everything[0]["symbol"]
    assert _all_alerts(api, "severity=info,warning,critical") == everything
    found = _all_alerts(api, f"search={symbol.lower()}")
    words = [f"{one['symbol']}\n{one['rule_name']}\n{one['summary']}".lower() for one in everything]
    assert found == [one for one, said in zip(everything, words, strict=True) if symbol.lower() in said]
    assert _alerts(api, "search=____") == []
    assert api("GET", "/api/v1/alerts?severity=dire")[0] == 400
    assert api("GET", f"/api/v1/alerts?search={'x' * 101}")[0] == 400


def test_a_rule_is_tried_on_bars_without_being_kept(api: Api) -> None:
    bars: dict[str, Any] = {
        "start_ms": [0],
        "end_ms": [60_000],
        "open": [100],
        "high": [170],
        "low": [99],
        "close": [101],
    }
    rules = api("GET", "/api/v1/rules")
    status, answer = api("POST", "/api/v1/rules/test", {"rule": LEVEL, "symbol": "SPY", "bars": bars})
    assert (status, answer["fired"]) == (200, 1)
    assert [one["state"] for one in answer["transitions"]] == ["firing", "resolved"]
    status, problem = api("POST", "/api/v1/rules/test", {"rule": LEVEL | {"kind": "?"}, "symbol": "SPY", "bars": bars})
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/rule/kind")
    said = {"name": "said", "kind": "expression", "parameters": {"when": "close > 100 and rsi_14 > 70"}}
    status, answer = api("POST", "/api/v1/rules/test", {"rule": said, "symbol": "SPY", "bars": bars})
    assert (status, answer["errors"][0]["pointer"]) == (422, "#/bars/indicators/rsi_14")
    bars["indicators"] = {"rsi_14": [75.5]}
    status, answer = api("POST", "/api/v1/rules/test", {"rule": said, "symbol": "SPY", "bars": bars})
    assert (status, answer["fired"], answer["transitions"][0]["value"]) == (200, 1, 101)
    of_group = {"name": "said", "kind": "expression", "parameters": {"when": "group.breadth[1d].advancers < 3"}}
    asked: dict[str, Any] = {
        "rule": of_group,
        "symbol": "group:Oil & Gas",
        "bars": {"start_ms": [0], "end_ms": [60_000]},
    }
    status, answer = api("POST", "/api/v1/rules/test", asked)
    pointers = [one["pointer"] for one in answer["errors"]]
    assert (status, pointers) == (422, ["#/bars/figures/group.breadth%5B1d%5D.advancers"])
    asked["bars"]["figures"] = {"group.breadth[1d].advancers": [2]}
    status, answer = api("POST", "/api/v1/rules/test", asked)
    assert (status, answer["fired"], answer["transitions"][0]["value"]) == (200, 1, 2)
    heavy = " and ".join(f"close > mean(mean(close, {bars} bars), {bars} bars)" for bars in range(2350, 2400))
    long = {**said, "parameters": {"when": heavy}}
    many = {name: column * 2000 for name, column in bars.items() if name != "indicators"}
    many |= {
        f"{name}_ms": [at * 60_000 for at in range(first, 2000 + first)] for name, first in (("start", 0), ("end", 1))
    }
    status, problem = api("POST", "/api/v1/rules/test", {"rule": long, "symbol": "SPY", "bars": many})
    assert (status, "3 s" in problem["detail"]) == (422, True)
    assert api("GET", "/api/v1/rules") == rules

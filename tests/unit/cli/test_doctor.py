from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tickstream.cli import doctor
from tickstream.cli.doctor import examine
from tickstream.cli.main import application
from tickstream.cli.stack.places import Places


def _states(places: Places) -> dict[str, str]:
    return {finding.name: finding.state for finding in examine(places)}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "cache", tmp_path / "state")


def test_every_lack_says_what_it_costs(places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = examine(places)
    assert {"InfluxDB", "Go", "cargo", "Node", "Docker", "Chromium"} <= {f.name for f in findings if f.state != "ok"}
    assert all(finding.cost for finding in findings if finding.state != "ok")
    assert all(not finding.cost for finding in findings if finding.state == "ok")


def test_only_what_is_needed_is_missing(places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "missing" not in _states(places).values()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert _states(places)["setpriv"] == "missing"


def test_compilers_are_of_no_interest_once_influxdb_is_there(places: Places) -> None:
    (places.cache / "influxdb-2.7.12").mkdir(parents=True)
    states = _states(places)
    assert states["InfluxDB"] == "ok"
    assert "cargo" not in states


def test_a_port_in_use_is_named(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(doctor, "_HTTP_PORT", port)
        assert _states(places)[f"port {port}"] == "lacking"


def test_json_for_programs_and_an_exit_code_that_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(application(["doctor"]), ["doctor", "--json"])
    assert result.exit_code == 0
    assert {"name", "state", "found", "cost"} == set(json.loads(result.output)[0])
    monkeypatch.setattr("sys.version_info", (3, 10))
    assert CliRunner().invoke(application(["doctor"]), ["doctor", "--json"]).exit_code == 1

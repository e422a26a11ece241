from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tickstream.cli.bench.programs import Cost
from tickstream.cli.bench.table import Figure, Ratio, Start, show, write_json

OURS = Figure.of("ours", "1m bars", 1_000_000, Cost(4.0, 2.0, 300_000_000, ""))
PEER = Figure.of("theirs", "the same", 1_000_000, Cost(5.0, 8.0, 900_000_000, ""))


def test_a_ratio_is_by_cpu_time_whatever_the_clock_says() -> None:
    assert Ratio.faster(OURS, PEER).value == 4.0
    assert Ratio.dearer(PEER, OURS).value == 4.0


def test_runs_of_different_lengths_compare_by_the_tick() -> None:
    half = Figure.of("theirs", "half of it", 500_000, Cost(2.5, 4.0, 0, ""))
    assert Ratio.faster(OURS, half).value == Ratio.faster(OURS, PEER).value


def test_the_table_has_every_line_and_below_it_every_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    show([OURS, PEER], [Ratio.faster(OURS, PEER, ">= 3")], [Start("ours, anew", 4.26, "< 10 s")])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ours", "1m", "bars", "1,000,000", "250,000", "500,000", "300", "MB"] in lines
    assert ["theirs", "the", "same", "1,000,000", "200,000", "125,000", "900", "MB"] in lines
    assert ["1m", "bars:", "beside", "theirs,", "the", "same", "4.00", "x", ">=", "3"] in lines
    assert ["ours,", "anew", "4.3", "s", "<", "10", "s"] in lines


def test_json_has_the_ratios_beside_the_figures(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_json(path, [OURS.as_dict()], [asdict(Ratio.faster(OURS, PEER, ">= 3"))])
    written = json.loads(path.read_bytes())
    assert written["figures"][0]["per_cpu_second"] == 500_000
    assert written["figures"][0]["peak"] == 300_000_000
    assert written["ratios"] == [{"says": "1m bars: beside theirs, the same", "value": 4.0, "aim": ">= 3"}]

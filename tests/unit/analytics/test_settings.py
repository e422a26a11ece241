from __future__ import annotations

from pathlib import Path

import pytest

from tickstream.analytics.settings import AnalyticsSettings
from tickstream.core.errors import SettingsError
from tickstream.core.settings import load

DEMO_GROUPS = Path(__file__).parents[3] / "data/demo/groups.yaml"


def settings(**given: str) -> AnalyticsSettings:
    return load(AnalyticsSettings, "ANALYTICS", [], {f"ANALYTICS_{name}": value for name, value in given.items()})


def test_windows_history_and_groups_are_chosen() -> None:
    chosen = settings(WINDOWS="5, 60", HISTORY_DAYS="9", EWMA_LAMBDA="0.97", GROUPS_FILE=str(DEMO_GROUPS)).chosen
    assert (chosen.windows, chosen.history, chosen.decay) == ((5, 60), 9, 0.97)
    assert chosen.groups["Energy"] == {"CVX", "XOM"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Energy: [CVX, XOM", "readable YAML"),
        ("[CVX]", "1 to 200 groups"),
        ("Energy: CVX", "list of symbols for the group 'Energy'"),
        ("Energy: [ON]", "quoted like 'ON', and has True"),
        ('"a\\nb": [CVX]', "groups named by"),
        (f"{'ä' * 30}: [CVX]", "58 bytes of UTF-8"),
    ],
)
def test_a_bad_file_of_groups_is_told(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "groups.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=f"ANALYTICS_GROUPS_FILE must (?s:.*){says}"):
        settings(GROUPS_FILE=str(path))


@pytest.mark.parametrize("windows", [",", "4", "30,391", "half an hour"])
def test_bad_windows_are_told(windows: str) -> None:
    with pytest.raises(SettingsError, match="ANALYTICS_WINDOWS"):
        settings(WINDOWS=windows)


def test_correlations_are_chosen() -> None:
    chosen = settings(CORRELATION_WINDOWS="30,30,120", CORRELATION_SYMBOLS="50", BENCHMARK="QQQ").chosen
    assert (chosen.correlated, chosen.compared, chosen.benchmark) == ((30, 120), 50, "QQQ")


@pytest.mark.parametrize("windows", ["19", "60,10", "391"])
def test_windows_too_short_for_a_correlation_are_told(windows: str) -> None:
    with pytest.raises(SettingsError, match="ANALYTICS_CORRELATION_WINDOWS"):
        settings(CORRELATION_WINDOWS=windows)

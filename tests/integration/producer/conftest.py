from __future__ import annotations

import pytest


@pytest.fixture
def env(isolated_env: dict[str, str]) -> dict[str, str]:
    """The servers' settings, and few partitions."""
    return isolated_env | {"KAFKA_TOPIC_PARTITIONS": "4"}

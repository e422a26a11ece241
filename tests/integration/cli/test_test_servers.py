from __future__ import annotations

import psycopg
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from redis import Redis

from tests.support.servers import Servers
from tickstream.cli.stack.kafka import ask_brokers

pytestmark = pytest.mark.integration


def test_every_server_takes_the_settings_it_gives(isolated_env: dict[str, str]) -> None:
    host, _, port = isolated_env["KAFKA_BOOTSTRAP_SERVERS"].partition(":")
    assert ask_brokers(host, int(port)) == 1
    with psycopg.connect(isolated_env["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_database()").fetchone() != ("tickstream",)
    with Redis.from_url(isolated_env["REDIS_URL"]) as client:
        assert client.dbsize() == 0
    with InfluxDBClient(
        isolated_env["INFLUXDB_URL"], isolated_env["INFLUXDB_TOKEN"], org=isolated_env["INFLUXDB_ORG"]
    ) as influx:
        assert influx.buckets_api().find_bucket_by_name(isolated_env["INFLUXDB_BUCKET"]) is not None


@pytest.mark.parametrize("server", ["redis", "postgres", "influxdb", "kafka"])
def test_a_stopped_or_killed_server_comes_back_at_its_address(servers: Servers, server: str) -> None:
    before = dict(servers.env)
    servers.stop(server)
    servers.start(server)
    servers.kill(server)
    servers.start(server)
    assert servers.env == before

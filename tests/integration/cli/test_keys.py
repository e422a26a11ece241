"""`tickstream keys`, in a database of its own."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.support.programs import must, run
from tests.support.schema import migrate_to
from tickstream.core.access import key_digest, new_key

pytestmark = pytest.mark.integration


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked_by_its_id(isolated_env: dict[str, str]) -> None:
    must("tickstream-alerting", "--migrate-only", env=isolated_env)
    plain = run("tickstream", "keys", "create", "dashboard", env=isolated_env)
    assert plain.returncode == 0, plain.stderr
    key = plain.stdout.strip()
    prefix, key_id, secret = key.split("_")
    assert (prefix, len(secret)) == ("tsk", 64)
    assert secret not in plain.stderr
    options = (
        "--channels",
        "ticks,bars",
        "--symbols",
        "SPY,B*",
        "--expires",
        "30d",
        "--max-connections",
        "3",
        "--json",
    )
    made = json.loads(must("tickstream", "keys", "create", "ann", *options, env=isolated_env))
    assert (made["channels"], made["symbols"], made["max_connections"]) == (["ticks", "bars"], ["SPY", "B*"], 3)
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)

    listed = must("tickstream", "keys", "list", env=isolated_env)
    rows = json.loads(must("tickstream", "keys", "list", "--json", env=isolated_env))
    assert [row["name"] for row in rows] == ["dashboard", "ann"]
    assert rows[0]["channels"] == rows[0]["symbols"] == ["*"]
    with psycopg.connect(isolated_env["DATABASE_URL"]) as database:
        stored = database.execute("SELECT digest, api_keys::text FROM api_keys ORDER BY created_at").fetchall()
    assert [digest for digest, _row in stored] == [hashlib.sha256(one.encode()).digest() for one in (key, made["key"])]
    for shown in (listed, json.dumps(rows), *(row for _digest, row in stored)):
        assert secret not in shown
        assert "tsk_" not in shown

    assert run("tickstream", "keys", "revoke", key_id, env=isolated_env).returncode == 0
    first = json.loads(must("tickstream", "keys", "revoke", key_id, "--json", env=isolated_env))
    again = json.loads(must("tickstream", "keys", "list", "--json", env=isolated_env))
    assert again[0]["revoked_at"] == first["revoked_at"] is not None
    assert again[1]["revoked_at"] is None
    assert "revoked" in must("tickstream", "keys", "list", env=isolated_env)


def test_a_key_may_write_only_when_that_was_given(isolated_env: dict[str, str]) -> None:
    must("tickstream-alerting", "--migrate-only", env=isolated_env)
    reader = json.loads(must("tickstream", "keys", "create", "reader", "--json", env=isolated_env))
    writer = json.loads(must("tickstream", "keys", "create", "writer", "--write", "--json", env=isolated_env))
    assert (reader["may_write"], writer["may_write"]) == (False, True)

    def listed() -> list[str]:
        lines = must("tickstream", "keys", "list", env=isolated_env).splitlines()[1:]
        return [may for line in lines for may in ("read", "write") if may in line.split()]

    assert listed() == ["read", "write"]
    done = run("tickstream", "keys", "change", reader["id"], "--write", env=isolated_env)
    assert (done.returncode, done.stdout) == (0, "")
    assert "may write" in done.stderr
    taken = json.loads(must("tickstream", "keys", "change", writer["id"], "--read-only", "--json", env=isolated_env))
    assert taken == {name: value for name, value in writer.items() if name != "key"} | {"may_write": False}
    assert listed() == ["write", "read"]


def test_keys_of_an_older_database_go_on_and_may_only_read(isolated_env: dict[str, str]) -> None:
    migrate_to(isolated_env["DATABASE_URL"], "0005")
    key_id, key = new_key()
    row = (key_id, "ann", key_digest(key), ["*"], ["SPY"])
    with psycopg.connect(isolated_env["DATABASE_URL"]) as database:
        database.execute("INSERT INTO api_keys (id, name, digest, channels, symbols) VALUES (%s, %s, %s, %s, %s)", row)
    older = run("tickstream", "keys", "list", env=isolated_env)
    assert (older.returncode, older.stdout) == (1, "")
    assert "--migrate-only" in older.stderr
    must("tickstream-alerting", "--migrate-only", env=isolated_env)
    [found] = json.loads(must("tickstream", "keys", "list", "--json", env=isolated_env))
    assert (found["id"], found["symbols"], found["may_write"]) == (key_id, ["SPY"], False)


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("create", " "), 2, "NAME"),
        (("create", "ann", "--channels", "quotes"), 2, "quotes"),
        (("create", "ann", "--symbols", "S*Y"), 2, "S*Y"),
        (("create", "ann", "--expires", "soon"), 2, "soon"),
        (("create", "ann", "--expires", "2001-01-01"), 2, "2001-01-01"),
        (("create", "ann", "--expires", "9999999999999d"), 2, "--expires"),
        (("create", "ann", "--max-connections", "0"), 2, "--max-connections"),
        (("change", "0123456789abcdef"), 2, "--write"),
        (("change", "0123456789abcdef", "--write"), 1, "--migrate-only"),
        (("revoke", "0123456789abcdef"), 1, "--migrate-only"),
        (("list",), 1, "--migrate-only"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    isolated_env: dict[str, str], arguments: tuple[str, ...], code: int, named: str
) -> None:
    done = run("tickstream", "keys", *arguments, env=isolated_env)
    assert done.returncode == code
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_database_that_does_not_answer_is_said_in_a_line() -> None:
    done = run("tickstream", "keys", "list", env={"DATABASE_URL": "postgresql://ann:hidden-word@127.0.0.1:1/x"})
    assert done.returncode == 1
    assert "PostgreSQL" in done.stderr
    assert "hidden-word" not in done.stderr

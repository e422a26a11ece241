"""`tickstream keys`: the API keys that the socket takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, LiteralString, NoReturn

import orjson
import psycopg
import typer
from psycopg.rows import DictRow, dict_row
from rich.console import Console
from rich.table import Table

from tickstream.cli.cluster import database_url
from tickstream.core.access import ANY, CHANNELS, Scope, key_digest, new_key

_CONNECT_SECONDS: Final = 5
_MAX_NAME: Final = 100
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SHOWN: Final = (
    "id, name, channels, symbols, may_write, max_connections, max_subscriptions, commands_per_second, "
    "created_at, expires_at, revoked_at"
)
_INSERT: Final = f"""
INSERT INTO api_keys (id, name, digest, channels, symbols, may_write, max_connections, max_subscriptions,
                      commands_per_second, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_SHOWN}
"""  # noqa: S608 - made of constants, as are those below
_LIST: Final = f"SELECT {_SHOWN} FROM api_keys ORDER BY created_at, id"  # noqa: S608 - see above
_CHANGE: Final = f"UPDATE api_keys SET may_write = %s WHERE id = %s RETURNING {_SHOWN}"  # noqa: S608 - see above
_REVOKE: Final = f"UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = %s RETURNING {_SHOWN}"  # noqa: S608 - see above

app = typer.Typer(no_args_is_help=True, help="The API keys that the socket takes, in DATABASE_URL.")

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Write = Annotated[bool, typer.Option("--write", help="It may change rules, acknowledgements and silences, too.")]
Limit = Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="Of all its connections together, on one node.")]


def register(root: typer.Typer) -> None:
    """Add `keys` to the command line."""
    root.add_typer(app, name="keys")


@app.command()
def create(  # noqa: PLR0913, PLR0917 - the options of the command line
    name: Annotated[str, typer.Argument(help="Whose it is, or what for.")],
    channels: Annotated[str, typer.Option(help=f"Some of {','.join(CHANNELS)}, or {ANY}.")] = ANY,
    symbols: Annotated[str, typer.Option(help="Symbols, or beginnings and *: SPY,BTC-*.")] = ANY,
    write: Write = False,  # noqa: FBT002 - a flag of the command line
    expires: Annotated[str | None, typer.Option(help="After 12h or 30d, or at 2030-01-31T00:00:00Z.")] = None,
    max_connections: Limit = None,
    max_subscriptions: Limit = None,
    commands_per_second: Limit = None,
    json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make a key and print it: it can't be shown again."""
    wanted = _names(channels), _names(symbols)
    try:
        Scope.of(*wanted)
        expires_at = None if expires is None else _moment(expires, datetime.now(UTC))
    except ValueError as error:
        _end(str(error), 2)
    if not 0 < len(name.strip()) <= _MAX_NAME:
        _end(f"NAME must have 1 to {_MAX_NAME} characters", 2)
    key_id, key = new_key()
    limits = (max_connections, max_subscriptions, commands_per_second)
    with _database() as database:
        values = (key_id, name.strip(), key_digest(key), *wanted, write, *limits, expires_at)
        row = database.execute(_INSERT, values).fetchone()
    if json and row is not None:
        _print_json({"key": key, **row})
        return
    sys.stdout.write(f"{key}\n")
    sys.stderr.write(f"the key {key_id} of {name.strip()}: keep it now, it can't be shown again\n")


@app.command("list")
def list_keys(json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show the keys, without their secrets."""
    with _database() as database:
        rows = database.execute(_LIST).fetchall()
    if json:
        _print_json(rows)
        return
    table = Table("id", "name", "channels", "symbols", "may", "limits", "created", "expires", "state", box=None)
    now = datetime.now(UTC)
    for row in rows:
        limits = (row["max_connections"], row["max_subscriptions"], row["commands_per_second"])
        table.add_row(
            row["id"],
            row["name"],
            ",".join(row["channels"]),
            ",".join(row["symbols"]),
            "write" if row["may_write"] else "read",
            "/".join("-" if limit is None else str(limit) for limit in limits),
            _shown(row["created_at"]),
            _shown(row["expires_at"]),
            _state(row, now),
        )
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@app.command()
def change(
    key_id: KeyId,
    write: Annotated[
        bool, typer.Option("--write/--read-only", help="Whether it may change rules, acknowledgements and silences.")
    ],
    json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Give a key leave to write, or take it back; that counts within seconds."""
    _update(_CHANGE, (write, key_id), "may write" if write else "may only read", json=json)


@app.command()
def revoke(
    key_id: KeyId,
    json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """End a key; connections that use it are disconnected within seconds."""
    _update(_REVOKE, (key_id,), "is revoked", json=json)


def _update(statement: LiteralString, values: tuple[object, ...], done: str, *, json: bool) -> None:
    """Change the one key whose id is the last of the values, and say what it is now."""
    with _database() as database:
        row = database.execute(statement, values).fetchone()
    if row is None:
        _end(f"there is no key {values[-1]!r}", 1)
    if json:
        _print_json(row)
    else:
        sys.stderr.write(f"the key {row['id']} of {row['name']} {done}\n")


@contextmanager
def _database() -> Iterator[psycopg.Connection[DictRow]]:
    """The database, or the end with a line that says what it lacks."""
    url = database_url(os.environ)
    if url is None:
        _end("DATABASE_URL must be given: no stack runs on this machine", 2)
    try:
        with psycopg.connect(url, row_factory=dict_row, connect_timeout=_CONNECT_SECONDS) as connection:
            yield connection
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        _end("the database has no table of keys yet, or an older one: run tickstream-alerting --migrate-only", 1)
    except psycopg.Error as error:
        _end(f"PostgreSQL: {str(error).strip() or type(error).__name__}", 1)


def _moment(text: str, now: datetime) -> datetime:
    """When a key shall expire, from a duration such as 30d or a time."""
    rule = f"--expires must be like 12h or 30d, or a time to come like 2030-01-31T00:00:00Z, was {text}"
    try:
        if text[:-1].isdigit() and text[-1] in _UNITS:
            moment = now + timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        else:
            moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(rule) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise ValueError(rule)
    return moment


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(part for part in (piece.strip() for piece in text.split(",")) if part))


def _state(row: DictRow, now: datetime) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    return "expired" if row["expires_at"] is not None and row["expires_at"] <= now else "valid"


def _shown(moment: datetime | None) -> str:
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_UTC_Z).decode() + "\n")


def _end(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    raise typer.Exit(code)

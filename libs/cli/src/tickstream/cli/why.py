"""`tickstream alerts why`: who was told of an alert, who wasn't, and the reasons."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final, NoReturn

import orjson
import psycopg
import typer
from psycopg.rows import DictRow, dict_row
from rich.console import Console
from rich.table import Table

from tickstream.cli.cluster import database_url

QUERY: Final = "SELECT * FROM alert_why WHERE alert_id = %s ORDER BY position"
_ALERT: Final = "SELECT rule_name, symbol, severity, state, summary FROM alerts WHERE alert_id = %s"
_UNROUTED: Final = "SELECT count(*) AS count FROM alert_transitions WHERE alert_id = %s AND routed_at IS NULL"
_CONNECT_SECONDS: Final = 5


def why(
    alert_id: Annotated[str, typer.Argument(metavar="ALERT_ID", help="As /api/v1/alerts and notifications have it.")],
    json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,  # noqa: FBT002 (a flag)
) -> None:
    """Who was told of an alert, who wasn't, and the reasons: every decision, and what became of it."""
    try:
        wanted = uuid.UUID(alert_id)
    except ValueError:
        _end(f"ALERT_ID must be a UUID, was {alert_id!r}", 2)
    alert, decisions, undecided = _read(wanted)
    if alert is None:
        _end(f"there is no alert {wanted}", 1)
    if json:
        for decision in decisions:
            sys.stdout.buffer.write(orjson.dumps(decision, default=str) + b"\n")
        return
    console = Console(highlight=False)
    console.print(f"{alert['rule_name']} {alert['severity']}, {alert['state']}: {alert['summary']}", markup=False)
    if decisions:
        console.print(_table(decisions))
    if undecided:
        console.print(f"{undecided} of its transitions: nobody has decided yet, or no receivers were configured")
    elif not decisions:
        console.print("nothing was decided: it is older than the configuration of receivers")


def _read(alert_id: uuid.UUID) -> tuple[DictRow | None, list[DictRow], int]:
    url = database_url(os.environ)
    if not url:
        _end("DATABASE_URL isn't given, and no stack runs on this machine", 2)
    try:
        with psycopg.connect(url, row_factory=dict_row, connect_timeout=_CONNECT_SECONDS) as connection:
            alert = connection.execute(_ALERT, [alert_id]).fetchone()
            undecided: Any = connection.execute(_UNROUTED, [alert_id]).fetchone()
            return alert, connection.execute(QUERY, [alert_id]).fetchall(), undecided["count"]
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        _end("the database lacks what this needs: run `tickstream-alerting --migrate-only`", 1)
    except psycopg.OperationalError as error:
        _end(f"PostgreSQL doesn't answer: {' '.join(str(error).split())}", 1)


def _table(decisions: Sequence[DictRow]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("at", "state", "receiver", "outcome", "reason", "notification"):
        table.add_column(name, overflow="fold")
    for each in decisions:
        at = f"{each['decided_at']:%Y-%m-%d %H:%M:%S}"
        cells = (at, each["state"], each["receiver"] or "-", each["outcome"], each["reason"], _became(each))
        table.add_row(*map(_plain, cells))
    return table


def _became(decision: DictRow) -> str:
    """What became of the notification, if there is one."""
    if decision["notification"] is None:
        return ""
    error = f", {decision['last_error']}" if decision["last_error"] else ""
    return f"{decision['notification']} {decision['status']} (attempt {decision['attempts']}){error}"


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def _end(reason: str, code: int) -> NoReturn:
    sys.stderr.write(f"{reason}\n")
    raise typer.Exit(code)

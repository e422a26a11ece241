"""The database's schema, brought up to date by alembic."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Final

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config

from tickstream.core.errors import RetryableError

_LOCK: Final = 0x7469636B73
"""The key of the advisory lock; any number that nobody else takes."""


def migrate(database_url: str) -> None:
    """Run the migrations that the database lacks, one process at a time.

    Raises:
        RetryableError: PostgreSQL doesn't answer.
    """
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=sqlalchemy.NullPool
    )
    try:
        with engine.connect() as guard, engine.connect() as worker:
            guard.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            _upgrade(worker)
    except sqlalchemy.exc.OperationalError as error:
        raise RetryableError(f"PostgreSQL doesn't answer: {error.orig}") from error


def _upgrade(connection: sqlalchemy.Connection) -> None:
    with as_file(files("tickstream.alerting") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

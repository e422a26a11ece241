"""Databases as earlier versions left them."""

from __future__ import annotations

from importlib.resources import as_file, files

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config


def migrate_to(database_url: str, revision: str) -> None:
    """Bring an empty database to where it was with the migrations up to this one."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection, as_file(files("tickstream.alerting") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

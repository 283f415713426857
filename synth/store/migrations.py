"""Bring a database to the newest schema when the store opens it: Alembic, run from the program."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from synth.errors import StoreError

SCHEMA = Path(__file__).parent / "schema"  # env.py and versions/
POSTGRES_LOCK = 0x53594E54  # "SYNT": any number, the same in every process of SynthRead
_in_this_process = threading.Lock()  # alembic.context and alembic.op are module globals


def upgrade(engine: Engine) -> None:
    """Run every migration that the database has not seen, in one transaction; two processes take turns.

    `engine` must begin SQLite transactions with BEGIN IMMEDIATE. Raises StoreError when the database was
    written by a newer program; database errors pass through.
    """
    with _in_this_process, engine.begin() as connection:
        _take_turns(connection)
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            raise StoreError(
                f"The database has a schema that this program does not know ({error}); "
                "update SynthRead or choose another DATABASE_URL."
            ) from error


def newest() -> str:
    """The revision that `upgrade` leads to."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "synth/store/schema/versions holds no migration"
    return head


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCHEMA).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _take_turns(connection: Connection) -> None:
    # SQLite is already locked by BEGIN IMMEDIATE.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": POSTGRES_LOCK})

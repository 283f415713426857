"""One open database: connection settings, sessions that end in commit or rollback, errors as one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.store import migrations
from synth.store.tables import Base, TipRow

BUSY_MS = 15_000  # how long one SQLite writer waits for another
DISK_FULL = "The disk is full: the database could not be written; free some space and try again."
BUSY = "The database is busy: another program has held it for too long; try again in a moment."
POSTGRES_DISK_FULL = "53100"  # SQLSTATE disk_full, PostgreSQL manual appendix A


class Database:
    """A SQLite file or a PostgreSQL database, migrated to the newest schema. Safe from any thread."""

    def __init__(self, url: str) -> None:
        """Open and migrate. Raises StoreError when the URL is wrong or the database does not answer."""
        self._engine = _open(_address(url))
        with _one_sentence():
            migrations.upgrade(self._engine.execution_options(immediate=True))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to read with."""
        with _one_sentence(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end, or leaves nothing behind when the block raises."""
        engine = self._engine.execution_options(immediate=True)
        with _one_sentence(), Session(engine) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


class DatabaseAsItIs(Database):
    """A database that is only read: it is neither made nor migrated, and the server refuses to write to it."""

    def __init__(self, url: str) -> None:
        """Open it. Raises StoreError where there is none, or none that this program has migrated."""
        address = _address(url)
        if address.get_backend_name() == "sqlite":
            self._engine = _open_sqlite_to_read(Path(str(address.database)))
        else:
            self._engine = create_engine(address, connect_args={"options": "-c default_transaction_read_only=on"})
        with _one_sentence():
            chained = inspect(self._engine).has_table(TipRow.__tablename__)
        if not chained:
            self.close()
            raise StoreError("The database has no audit trail with a chain; start SynthRead on it once.")


def insert_once(session: Session, table: type[Base], columns: Mapping[str, Any]) -> bool:
    """Add a row; False where one with the same unique columns is there, even if another connection adds it just now."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    made = insert.values({getattr(table, name): value for name, value in columns.items()}).on_conflict_do_nothing()
    return session.execute(made.returning(*inspect(table).primary_key)).first() is not None


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise StoreError("DATABASE_URL cannot be read; it must look like sqlite:///folder/synth.db.") from error
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise StoreError("DATABASE_URL names an SQLite database in memory; it must be a file, or a restart loses it.")
    return address


def _open(address: URL) -> Engine:
    sqlite = address.get_backend_name() == "sqlite"
    if sqlite:
        _make_folder(Path(str(address.database)).parent)
    try:
        engine = create_engine(address, pool_pre_ping=not sqlite)
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(f"There is no driver for {address.drivername} databases: {error}.") from error
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite_to_read(path: Path) -> Engine:
    if not path.is_file():
        raise StoreError(f"There is no database {path}.")
    address = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    engine = create_engine(address)
    event.listen(engine, "connect", _prepare_sqlite_to_read)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite_to_read(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {folder} of the database cannot be made: {error.strerror}.") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own; _begin_sqlite does
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer fails at once in WAL mode (SQLITE_BUSY_SNAPSHOT), so writers take the lock first.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(_sentence(error)) from error


def _sentence(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", None) == POSTGRES_DISK_FULL:
        return DISK_FULL
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BUSY
    first_line = str(cause or error).strip().split("\n", 1)[0].rstrip(".")
    return f"The database could not be used: {first_line}."

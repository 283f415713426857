"""The audit trail in the store: rows are appended in the transaction of the action they tell of, and only ever read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, String, func, insert, select, type_coerce, update
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.governance.audit import Entry, Tip, sealed, utc
from synth.origins import AuditEvent
from synth.store.database import Database
from synth.store.tables import Base, EventRow, TipRow

AT_ONCE = 2000  # rows in memory while the trail is walked
_TEXTS = ("who", "action", "subject", "reason", "detail", "previous", "hash")
# As the database holds it, without what SQLAlchemy would make of it: a row that was changed must be read too.
_AS_STORED = (
    EventRow.seq,
    type_coerce(EventRow.at, String).label("at"),
    *(getattr(EventRow, name) for name in _TEXTS),
)

# Of the tables, not of the mapped classes: every action pays for these three statements.
_EVENTS, _TIPS = (Base.metadata.tables[row.__tablename__] for row in (EventRow, TipRow))
_TIP = select(_TIPS.c.seq, _TIPS.c.hash).where(_TIPS.c.id == 1)
_ADD = insert(_EVENTS)
_MOVE = update(_TIPS).where(_TIPS.c.id == 1)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which rows are wanted; what is empty filters nothing."""

    who: str = ""
    action: str = ""
    subject: str = ""  # id of an image, a job, an import ...
    since: datetime | None = None  # from this moment on
    until: datetime | None = None  # before this moment
    text: str = ""  # each word somewhere in the row

    def words(self) -> dict[str, str]:
        """What filters, as text by name."""
        times = {name: at.astimezone(UTC).isoformat() for name in ("since", "until") if (at := getattr(self, name))}
        return times | {name: text for name in ("who", "action", "subject", "text") if (text := getattr(self, name))}


def append(session: Session, events: Iterable[AuditEvent]) -> None:
    """Add events to the trail in the transaction of `session`: the only way in.

    From here to the end of the transaction other writers wait, so this comes last in it. A transaction that is rolled
    back leaves no gap, as the numbers follow from the tip. Raises StoreError where the tip is gone.
    """
    session.flush()
    rows, tip = [], None
    for event in events:
        tip = tip or _tip_to_extend(session)
        entry = sealed(event, tip)
        tip = Tip(entry.seq, entry.hash)
        texts = {name: getattr(entry, name) for name in _TEXTS}
        rows.append({"seq": entry.seq, "at": event.at, **texts})
    if tip is not None:
        connection = session.connection()
        connection.execute(_ADD, rows)
        connection.execute(_MOVE, {"seq": tip.seq, "hash": tip.hash})


def _tip_to_extend(session: Session) -> Tip:
    # SQLite's writers already take turns (BEGIN IMMEDIATE); PostgreSQL's wait for this row.
    tip = session.connection().execute(_TIP.with_for_update()).first()
    if tip is None:
        raise StoreError("The audit trail has lost the number and hash of its last row; nothing is done without it.")
    return Tip(*tip)


def _tip(session: Session) -> Tip | None:
    row = session.connection().execute(_TIP).first()
    return Tip(*row) if row is not None and isinstance(row.seq, int) else None  # SQLite lets an owner write anything


class Trail:
    """The audit trail of one database. Every method may be called from any thread and raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, event: AuditEvent) -> None:
        """Append one event that belongs to no other transaction."""
        with self._database.writing() as session:
            append(session, [event])

    def tip(self) -> Tip | None:
        """Number and hash of the last row as the database keeps them; None where they are gone."""
        with self._database.reading() as session:
            return _tip(session)

    def page(self, sought: Sought, limit: int, offset: int = 0) -> list[Entry]:
        """Rows that fit, newest first."""
        query = _fitting(select(*_AS_STORED), sought).order_by(EventRow.seq.desc()).limit(limit).offset(offset)
        with self._database.reading() as session:
            return [_entry(row) for row in session.execute(query)]

    def count(self, sought: Sought) -> int:
        """How many rows fit."""
        with self._database.reading() as session:
            count: int = session.scalars(_fitting(select(func.count(EventRow.seq)), sought)).one()
            return count

    def entry(self, seq: int) -> Entry | None:
        """One row; None where there is none."""
        with self._database.reading() as session:
            row = session.execute(select(*_AS_STORED).where(EventRow.seq == seq)).first()
            return None if row is None else _entry(row)

    def names(self) -> tuple[list[str], list[str]]:
        """Everybody and every action that the trail names, for the filters."""
        with self._database.reading() as session:
            who, action = (
                sorted(session.scalars(select(column).distinct())) for column in (EventRow.who, EventRow.action)
            )
        return who, action

    @contextmanager
    def snapshot(self, sought: Sought | None = None) -> Iterator[tuple[Tip | None, Iterator[Entry]]]:
        """The tip and the rows that fit, oldest first, as they were at one moment, whoever writes meanwhile."""
        with self._database.reading() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield _tip(session), _walked(session, sought or Sought())


def _walked(session: Session, sought: Sought) -> Iterator[Entry]:
    """All rows that fit, by number, a batch in memory at a time."""
    query, after = _fitting(select(*_AS_STORED), sought).order_by(EventRow.seq).limit(AT_ONCE), None
    while rows := session.execute(query if after is None else query.where(EventRow.seq > after)).all():
        yield from map(_entry, rows)
        after = rows[-1].seq


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.seq, _instant(row.at), *(str(getattr(row, name)) for name in _TEXTS))


def _instant(at: object) -> str:
    """A stored time as it is hashed: PostgreSQL has points in time, SQLite the text of one in UTC."""
    if isinstance(at, datetime):
        return utc(at)
    date, space, time = str(at).partition(" ")
    return f"{date}T{time}Z" if space and len(time) == len("03:02:01.987654") else str(at)


def _fitting(query: Select[Any], sought: Sought) -> Select[Any]:
    row = EventRow
    for column, value in ((row.who, sought.who), (row.action, sought.action), (row.subject, sought.subject)):
        if value:
            query = query.where(column == value)
    if sought.since is not None:
        query = query.where(row.at >= sought.since)
    if sought.until is not None:
        query = query.where(row.at < sought.until)
    told = func.lower(row.who + " " + row.action + " " + row.subject + " " + row.reason + " " + row.detail)
    for word in sought.text.lower().split():
        query = query.where(told.contains(word, autoescape=True))
    return query

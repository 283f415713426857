"""What is counted over images, jobs and events, by the database as far as it can."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from synth.governance.monitoring import REFUSED, Period, Spread, Volume
from synth.store.database import Database
from synth.store.figure_tables import FactRow
from synth.store.holding_tables import HoldingRow
from synth.store.tables import EventRow, JobRow

Where = tuple[ColumnElement[bool], ...]
Counted = tuple[tuple[str, int], ...]
Seconds = InstrumentedAttribute[float] | InstrumentedAttribute[float | None]

ERRORS_MAX = 20  # sentences
_QUOTED = re.compile(r"'[^']*'")  # may be of a prompt
_FAILED = func.sum(case((FactRow.failed != "", 1), else_=0))
_CHECKED = func.sum(case((FactRow.checks > 0, 1), else_=0))


@dataclass(frozen=True, slots=True)
class Origin:
    """Real images of the library from one place under one licence."""

    name: str
    licence: str
    modality: str
    images: int


@dataclass(frozen=True, slots=True)
class Buckets:
    """How many images took at most each number of seconds, how many there are, and the sum of the seconds."""

    below: tuple[tuple[float, int], ...]
    count: int
    total_s: float


@dataclass(frozen=True, slots=True)
class Totals:
    """All that ever was, for a scrape: nobody is named in it."""

    images: tuple[tuple[str, str, int], ...]  # model, modality, images
    refusals: tuple[tuple[str, int], ...]  # by kind
    ended: tuple[tuple[str, int], ...]  # jobs by how they ended: done, failed, cancelled
    checks: tuple[tuple[str, int], ...]  # failed checks by name
    waiting: Buckets
    drawing: Buckets
    trail: int  # rows of the audit trail


class Figures:
    """The counts of one database. Every method may be called from any thread and raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def period(self, since: datetime, until: datetime) -> Period:
        """Everything of a period."""
        of_images, of_events = _between(FactRow.at, since, until), _between(EventRow.at, since, until)
        with self._database.reading() as session:
            actions = _actions(session, of_events)
            return Period(
                since,
                until,
                volumes=_volumes(session, of_images),
                asked=actions["submit"],
                done=actions["done"],
                failures=actions["failed"],
                cancelled=actions["cancelled"],
                checks=_checks(session, of_images),
                refusals=_refusals(session, of_events),
                errors=_errors(session, of_events),
                waiting=_spread(session, FactRow.waited, of_images),
                drawing=_spread(session, FactRow.drawn, of_images),
            )

    def totals(self, waiting_s: Sequence[float], drawing_s: Sequence[float]) -> Totals:
        """Everything that ever was, with the upper ends of the buckets of both times, s."""
        with self._database.reading() as session:
            kinds = select(FactRow.model, FactRow.modality, func.count()).group_by(FactRow.model, FactRow.modality)
            actions = _actions(session, ())
            return Totals(
                images=tuple(sorted((model, modality, count) for model, modality, count in session.execute(kinds))),
                refusals=_refusals(session, ()),
                ended=tuple((name, actions[name]) for name in ("done", "failed", "cancelled")),
                checks=_checks(session, ()),
                waiting=_buckets(session, FactRow.waited, waiting_s),
                drawing=_buckets(session, FactRow.drawn, drawing_s),
                trail=session.scalar(select(func.max(EventRow.seq))) or 0,
            )

    def of_model(self, model: str, revision: str) -> tuple[int, int, int, datetime | None]:
        """Images that a revision of a model drew here, those checked and those that failed, and when the first was."""
        mine = (FactRow.model == model, FactRow.revision == revision)
        query = select(func.count(), _CHECKED, _FAILED, func.min(FactRow.at)).where(*mine)
        with self._database.reading() as session:
            count, checked, failed, first = session.execute(query).one()
            return count, checked or 0, failed or 0, first

    def origins(self) -> tuple[Origin, ...]:
        """Where the real images of the library come from, without the bin."""
        row = HoldingRow
        parts = (row.origin, row.licence, row.modality)
        query = select(*parts, func.count()).where(row.listed, row.removed_at.is_(None)).group_by(*parts)
        with self._database.reading() as session:
            return tuple(Origin(*found) for found in session.execute(query.order_by(*parts)))


def _between(column: InstrumentedAttribute[datetime], since: datetime, until: datetime) -> Where:
    return (column >= since, column < until)


def _volumes(session: Session, where: Where) -> tuple[Volume, ...]:
    postgresql = session.get_bind().dialect.name == "postgresql"  # it would take the day in the zone of the session
    day = func.date(func.timezone("UTC", FactRow.at) if postgresql else FactRow.at)
    parts = (day, FactRow.who, FactRow.model, FactRow.revision, FactRow.modality)
    query = select(*parts, func.count(), _FAILED, _CHECKED).where(*where).group_by(*parts).order_by(*parts)
    return tuple(
        Volume(first if isinstance(first, date) else date.fromisoformat(first), *rest)
        for first, *rest in session.execute(query)
    )


def _actions(session: Session, where: Where) -> Counter[str]:
    names = ("submit", "done", "failed", "cancelled")
    query = select(EventRow.action, func.count()).where(EventRow.action.in_(names), *where)
    return Counter({action: count for action, count in session.execute(query.group_by(EventRow.action))})


def _checks(session: Session, where: Where) -> Counted:
    query = select(FactRow.failed, func.count()).where(FactRow.failed != "", *where).group_by(FactRow.failed)
    counts: Counter[str] = Counter()
    for names, count in session.execute(query):
        for name in names.strip("|").split("|"):
            counts[name] += count
    return _most_first(counts)


def _refusals(session: Session, where: Where) -> Counted:
    query = select(EventRow.detail, func.count()).where(EventRow.action == REFUSED, *where).group_by(EventRow.detail)
    counts: Counter[str] = Counter()
    for detail, count in session.execute(query):
        counts[json.loads(detail)["kind"]] += count
    return _most_first(counts)


def _errors(session: Session, where: Where) -> Counted:
    failed = select(EventRow.subject).where(EventRow.action == "failed", *where)
    query = select(JobRow.error, func.count()).where(JobRow.id.in_(failed), JobRow.error.is_not(None))
    counts: Counter[str] = Counter()
    for error, count in session.execute(query.group_by(JobRow.error)):
        counts[_QUOTED.sub("...", error or "")] += count
    return _most_first(counts)[:ERRORS_MAX]


def _spread(session: Session, column: Seconds, where: Where) -> Spread:
    count = session.scalar(select(func.count(column)).where(*where)) or 0
    ranked = select(column).where(column.is_not(None), *where).order_by(column).limit(1)
    ranks = [math.ceil(share * count) - 1 for share in (0.5, 0.95)]  # nearest rank
    return Spread(count, *(session.scalar(ranked.offset(rank)) for rank in ranks)) if count else Spread()


def _buckets(session: Session, column: Seconds, ends: Sequence[float]) -> Buckets:
    sums = [func.sum(case((column <= end, 1), else_=0)) for end in ends]
    row = session.execute(select(func.count(column), func.sum(column), *sums)).one()
    below = zip(ends, (count or 0 for count in row[2:]), strict=True)
    return Buckets(tuple(below), row[0], float(row[1] or 0.0))


def _most_first(counts: Counter[str]) -> Counted:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

"""Imports into the library: what was asked for, how far it is, and what became of every file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.origins import AuditEvent
from synth.store import holding_records
from synth.store.database import Database, insert_once
from synth.store.holding_records import FileOutcome, Import, ImportState, Outcome
from synth.store.holding_tables import HoldingRow, ImportFileRow, ImportRow
from synth.store.holdings import add_holdings
from synth.store.trail import append

OPEN = (ImportState.WAITING.value, ImportState.RUNNING.value)


class Imports:
    """Imports and their files. Safe from any thread and process: one process works on an import at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, user: str, order: Mapping[str, Any], event: AuditEvent, import_id: str = "") -> str:
        """Keep a new import, waiting to be claimed; returns its id."""
        name, now = import_id or uuid.uuid4().hex, _now()
        with self._database.writing() as session:
            session.add(
                ImportRow(
                    id=name,
                    user=user,
                    order=json.dumps(dict(order), sort_keys=True),
                    state=ImportState.WAITING.value,
                    owner=None,
                    seen_at=now,
                    started_at=now,
                    error="",
                )
            )
            append(session, [replace(event, subject=name)])
        return name

    def claim(self, owner: str, silence: timedelta) -> Import | None:
        """The oldest import that nobody works on, now this owner's; None where there is none."""
        free = and_(ImportRow.state.in_(OPEN), or_(ImportRow.owner.is_(None), ImportRow.seen_at < _now() - silence))
        with self._database.writing() as session:
            row = session.scalar(select(ImportRow).where(free).order_by(ImportRow.seq).limit(1).with_for_update())
            if row is None:
                return None
            row.owner, row.seen_at, row.state = owner, _now(), ImportState.RUNNING.value
            return holding_records.imported(row, _counts(session, [row.id])[row.id])

    def record(
        self, import_id: str, owner: str, files: Sequence[FileOutcome], total: int | None, events: Sequence[AuditEvent]
    ) -> list[FileOutcome] | None:
        """Keep what became of some files, their pictures and events, all or nothing; says what was a duplicate.

        None, and nothing is kept, where the import is no longer this owner's: it was stopped or taken over.
        """
        with self._database.writing() as session:
            row = session.scalar(select(ImportRow).where(ImportRow.id == import_id).with_for_update())
            if row is None or row.owner != owner or row.state != ImportState.RUNNING.value:
                return None
            row.seen_at = _now()
            row.total = total if total is not None else row.total
            seen = [_judged(session, file, import_id) for file in files]
            for file in seen:
                columns = {"name": file.name, "outcome": file.outcome.value, "reason": file.reason}
                insert_once(session, ImportFileRow, columns | {"import_id": import_id, "pictures": file.pictures})
            append(session, events)
        return seen

    def end(self, import_id: str, owner: str, state: ImportState, error: str, event: AuditEvent) -> bool:
        """End an import that is this owner's. False where it is not."""
        ended = update(ImportRow).where(
            ImportRow.id == import_id, ImportRow.owner == owner, ImportRow.state == ImportState.RUNNING.value
        )
        values = {"state": state.value, "error": error, "owner": None, "ended_at": _now()}
        with self._database.writing() as session:
            if session.execute(ended.values(values).returning(ImportRow.id)).first() is None:
                return False
            append(session, [event])
        return True

    def stop(self, import_id: str, event: AuditEvent) -> None:
        """Stop an import that waits or runs; what is in the library stays there."""
        stopped = update(ImportRow).where(ImportRow.id == import_id, ImportRow.state.in_(OPEN))
        values = {"state": ImportState.STOPPED.value, "owner": None, "ended_at": _now()}
        self._change(stopped.values(values), event)

    def resume(self, import_id: str, event: AuditEvent) -> None:
        """Have a stopped or failed import go on: files that are through are not read again."""
        ended = (ImportState.STOPPED.value, ImportState.FAILED.value)
        again = update(ImportRow).where(ImportRow.id == import_id, ImportRow.state.in_(ended))
        self._change(again.values({"state": ImportState.WAITING.value, "error": "", "ended_at": None}), event)

    def release(self, owner: str) -> None:
        """Give the imports of a process that ends back, for any other to claim at once."""
        mine = update(ImportRow).where(ImportRow.owner == owner, ImportRow.state == ImportState.RUNNING.value)
        with self._database.writing() as session:
            session.execute(mine.values(owner=None))

    def get(self, import_id: str) -> Import:
        """One import with its counts. Raises StoreError when it is unknown."""
        with self._database.reading() as session:
            row = session.scalar(select(ImportRow).where(ImportRow.id == import_id))
            if row is None:
                raise StoreError(f"There is no import {import_id[:40]!r}.")
            return holding_records.imported(row, _counts(session, [row.id])[row.id])

    def latest(self, limit: int) -> list[Import]:
        """The newest imports."""
        with self._database.reading() as session:
            rows = session.scalars(select(ImportRow).order_by(ImportRow.seq.desc()).limit(limit)).all()
            counts = _counts(session, [row.id for row in rows])
            return [holding_records.imported(row, counts[row.id]) for row in rows]

    def through(self, import_id: str) -> set[str]:
        """The names of the files that are through."""
        with self._database.reading() as session:
            return set(session.scalars(select(ImportFileRow.name).where(ImportFileRow.import_id == import_id)))

    def report(self, import_id: str, outcome: Outcome | None, limit: int, offset: int = 0) -> list[FileOutcome]:
        """What became of the files, in the order in which they were read."""
        query = select(ImportFileRow).where(ImportFileRow.import_id == import_id)
        if outcome is not None:
            query = query.where(ImportFileRow.outcome == outcome.value)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(ImportFileRow.seq).limit(limit).offset(offset))
            return [FileOutcome(row.name, Outcome(row.outcome), row.reason, (), row.pictures) for row in rows]

    def _change(self, statement: Any, event: AuditEvent) -> None:
        with self._database.writing() as session:
            if session.execute(statement.returning(ImportRow.id)).first() is not None:
                append(session, [event])


def _judged(session: Session, file: FileOutcome, import_id: str) -> FileOutcome:
    """An accepted file whose pictures the library all had is a duplicate."""
    if file.outcome is not Outcome.ADDED:
        return file
    added = add_holdings(session, file.holdings, import_id)
    if added == 0:
        where = ", in the bin" if _binned(session, file) else ""
        return replace(file, outcome=Outcome.DUPLICATE, reason=f"The library has this picture{where}.", pictures=0)
    return replace(file, pictures=added)


def _binned(session: Session, file: FileOutcome) -> bool:
    hashes = [holding.pixel_hash for holding in file.holdings]
    binned = select(HoldingRow.id).where(HoldingRow.pixel_hash.in_(hashes), HoldingRow.removed_at.is_not(None))
    return session.scalars(binned.limit(1)).first() is not None


def _counts(session: Session, import_ids: Sequence[str]) -> dict[str, dict[Outcome, int]]:
    file = ImportFileRow
    query = select(file.import_id, file.outcome, func.count()).where(file.import_id.in_(import_ids))
    counts: dict[str, dict[Outcome, int]] = {name: {} for name in import_ids}
    for name, outcome, count in session.execute(query.group_by(file.import_id, file.outcome)):
        counts[name][Outcome(outcome)] = count
    return counts


def _now() -> datetime:
    return datetime.now(UTC)

"""Case sets and reader studies in the store. Every method raises StoreError when the database fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.governance.release import Use
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.reading.sessions import Plan
from synth.reading.studies import Progress, Protocol, Seat, Study
from synth.store import states
from synth.store.database import Database
from synth.store.tables import AnswerRow, CaseSetRow, DealtRow, EntryRow, SeatRow, SessionRow, StudyRow


class Casebook:
    """The case sets and studies of one database. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_set(self, made: CaseSet) -> None:
        """Keep a new set with its entries; an id or a code that is already kept raises StoreError."""
        with self._database.writing() as session:
            session.add(CaseSetRow(id=made.id, code=made.code, title=made.title, owner=made.owner, open=made.open))
            session.flush()
            session.add_all(_entry_row(made.id, place, entry) for place, entry in enumerate(made.entries))

    def case_set(self, set_id: str) -> CaseSet:
        """The set with its entries in order. Raises StoreError when it is unknown."""
        return self._one(CaseSetRow.id == set_id, _no_set(set_id))

    def set_of_code(self, code: str) -> CaseSet:
        """The set that a share code opens. Raises StoreError where no open set has it."""
        return self._one(
            (CaseSetRow.code == code) & CaseSetRow.open,
            f"There is no open case set with the code {code[:20]!r}; check it with whoever sent it.",
        )

    def sets(self, owner: str | None = None) -> list[CaseSet]:
        """All sets, or those of one owner, the latest first."""
        query = select(CaseSetRow).order_by(CaseSetRow.seq.desc())
        if owner is not None:
            query = query.where(CaseSetRow.owner == owner)
        with self._database.reading() as session:
            rows = session.scalars(query).all()
            entries = _entries(session, [row.id for row in rows])
            return [_case_set(row, entries.get(row.id, [])) for row in rows]

    def shows(self, image_id: str) -> bool:
        """Whether the image is an approved case of a set that is open."""
        approved = EntryRow.job == image_id, EntryRow.standing == Standing.APPROVED.value
        found = select(EntryRow.id).join(CaseSetRow, CaseSetRow.id == EntryRow.set_id)
        found = found.where(*approved, CaseSetRow.open.is_(True))
        with self._database.reading() as session:
            return session.scalars(found.limit(1)).first() is not None

    def rename_set(self, set_id: str, title: str, open_: bool) -> None:
        """Set the title and whether the code opens the set. Raises StoreError when it is unknown."""
        CaseSet(set_id, "", title, "")  # a title that no set may have
        with self._database.writing() as session:
            row = _held_set(session, set_id)
            row.title, row.open = title, open_

    def add_entries(self, set_id: str, entries: Sequence[Entry]) -> None:
        """Append entries to a set. Raises StoreError when it is unknown."""
        last = select(func.max(EntryRow.position)).where(EntryRow.set_id == set_id)
        with self._database.writing() as session:
            _held_set(session, set_id)
            free = session.scalar(last)
            first = 0 if free is None else free + 1
            session.add_all(_entry_row(set_id, first + place, entry) for place, entry in enumerate(entries))

    def remove_entry(self, entry_id: str) -> None:
        """Take an entry out of its set; its image stays in the store."""
        with self._database.writing() as session:
            session.execute(delete(EntryRow).where(EntryRow.id == entry_id))

    def change_entry(self, before: Entry, after: Entry) -> bool:
        """Write `after` where the entry still stands as in `before`; False where somebody else was first.

        Raises PolicyError where it approves an image that case sets may not have.
        """
        with self._database.writing() as session:
            if after.standing is Standing.APPROVED and (drawn := states.find(session, after.job)):
                states.release_of(drawn).require(Use.SETS)
            row = session.scalar(select(EntryRow).where(EntryRow.id == before.id).with_for_update())
            if row is None or _entry(row) != before:
                return False
            for name, value in _columns(after).items():
                setattr(row, name, value)
        return True

    def order_entries(self, set_id: str, entry_ids: Sequence[str]) -> None:
        """Put the entries of a set into this order; those not named follow. Raises StoreError when it is unknown."""
        places = {entry_id: place for place, entry_id in enumerate(dict.fromkeys(entry_ids))}
        of_set = select(EntryRow).where(EntryRow.set_id == set_id).order_by(EntryRow.position, EntryRow.seq)
        with self._database.writing() as session:
            _held_set(session, set_id)
            rows = sorted(session.scalars(of_set), key=lambda row: places.get(row.id, len(places)))
            for place, row in enumerate(rows):
                row.position = place

    def waiting_entries(self) -> list[Entry]:
        """Entries of all sets that are not drawn yet, the oldest first."""
        query = select(EntryRow).where(EntryRow.standing == Standing.WAITING.value).order_by(EntryRow.seq)
        with self._database.reading() as session:
            return [_entry(row) for row in session.scalars(query)]

    def add_study(self, study: Study) -> None:
        """Keep a new study with its seats."""
        with self._database.writing() as session:
            session.add(
                StudyRow(
                    id=study.id,
                    title=study.title,
                    owner=study.owner,
                    created_at=study.created_at,
                    protocol=study.protocol.to_json(),
                    locked_at=study.locked_at,
                )
            )
            session.flush()
            session.add_all(
                SeatRow(study_id=study.id, number=s.number, code=s.code, name=s.name, consented_at=s.consented_at)
                for s in study.seats
            )

    def study(self, study_id: str) -> Study:
        """The study with its seats. Raises StoreError when it is unknown."""
        with self._database.reading() as session:
            row = session.scalar(select(StudyRow).where(StudyRow.id == study_id))
            if row is None:
                raise StoreError(_no_study(study_id))
            return _study(session, row)

    def study_of_code(self, code: str) -> tuple[Study, Seat]:
        """The study and the seat of an invitation. Raises StoreError where there is none."""
        with self._database.reading() as session:
            seat = session.scalar(select(SeatRow).where(SeatRow.code == code))
            if seat is None:
                raise StoreError(_no_seat(code))
            row = session.scalars(select(StudyRow).where(StudyRow.id == seat.study_id)).one()
            study = _study(session, row)
        return study, study.seat(code)

    def studies(self, owner: str | None = None) -> list[Study]:
        """All studies, or those of one owner, the latest first."""
        query = select(StudyRow).order_by(StudyRow.seq.desc())
        if owner is not None:
            query = query.where(StudyRow.owner == owner)
        with self._database.reading() as session:
            return [_study(session, row) for row in session.scalars(query)]

    def take_seat(self, code: str, name: str, at: datetime) -> None:
        """Write the reader's pseudonym and consent, once: a seat that is taken stays as it is.

        Raises StoreError where there is no such invitation.
        """
        with self._database.writing() as session:
            seat = session.scalar(select(SeatRow).where(SeatRow.code == code).with_for_update())
            if seat is None:
                raise StoreError(_no_seat(code))
            if seat.consented_at is None:
                seat.name, seat.consented_at = name, at

    def lock_study(self, study_id: str, at: datetime) -> None:
        """End the study for good; one that is locked keeps its time. Raises StoreError when it is unknown."""
        with self._database.writing() as session:
            row = session.scalar(select(StudyRow).where(StudyRow.id == study_id).with_for_update())
            if row is None:
                raise StoreError(_no_study(study_id))
            row.locked_at = row.locked_at or at

    def progress(self, study_id: str) -> list[Progress]:
        """How far each reader is in each phase that was begun, without loading a case."""
        answers, void = (
            select(func.count()).where(row.session_id == SessionRow.id, *more).scalar_subquery()
            for row, more in ((AnswerRow, ()), (DealtRow, (DealtRow.void,)))
        )
        query = select(SessionRow, answers, void).where(SessionRow.study_id == study_id).order_by(SessionRow.seq)
        with self._database.reading() as session:
            return [
                Progress(row.reader, row.phase, done, Plan.from_json(row.plan).length - lost, row.ended_at is not None)
                for row, done, lost in session.execute(query)
            ]

    def _one(self, which: object, missing: str) -> CaseSet:
        with self._database.reading() as session:
            row = session.scalar(select(CaseSetRow).where(which))  # type: ignore[arg-type]
            if row is None:
                raise StoreError(missing)
            return _case_set(row, _entries(session, [row.id]).get(row.id, []))


def _entries(session: Session, set_ids: Sequence[str]) -> dict[str, list[Entry]]:
    query = select(EntryRow).where(EntryRow.set_id.in_(set_ids)).order_by(EntryRow.position, EntryRow.seq)
    found: dict[str, list[Entry]] = {}
    for row in session.scalars(query):
        found.setdefault(row.set_id, []).append(_entry(row))
    return found


def _case_set(row: CaseSetRow, entries: Sequence[Entry]) -> CaseSet:
    return CaseSet(row.id, row.code, row.title, row.owner, tuple(entries), row.open)


def _entry(row: EntryRow) -> Entry:
    return Entry(
        id=row.id,
        recipe=Recipe.from_json(row.recipe) if row.recipe else None,
        real=row.real,
        standing=Standing(row.standing),
        job=row.job,
        base_job=row.base_job,
        history=row.history,
        teaching=row.teaching,
        problem=row.problem,
    )


def _entry_row(set_id: str, position: int, entry: Entry) -> EntryRow:
    return EntryRow(id=entry.id, set_id=set_id, position=position, **_columns(entry))


def _columns(entry: Entry) -> dict[str, str | None]:
    return {
        "recipe": entry.recipe.to_json() if entry.recipe else None,
        "real": entry.real,
        "standing": entry.standing.value,
        "job": entry.job,
        "base_job": entry.base_job,
        "history": entry.history,
        "teaching": entry.teaching,
        "problem": entry.problem,
    }


def _study(session: Session, row: StudyRow) -> Study:
    seats = session.scalars(select(SeatRow).where(SeatRow.study_id == row.id).order_by(SeatRow.number))
    made = Study(row.id, row.title, row.owner, row.created_at, Protocol.from_json(row.protocol), (), row.locked_at)
    return replace(made, seats=tuple(Seat(s.number, s.code, s.name, s.consented_at) for s in seats))


def _held_set(session: Session, set_id: str) -> CaseSetRow:
    """The set's row, locked until the end of the transaction, so that its entries are changed in turn."""
    row = session.scalar(select(CaseSetRow).where(CaseSetRow.id == set_id).with_for_update())
    if row is None:
        raise StoreError(_no_set(set_id))
    return row


def _no_set(set_id: str) -> str:
    return f"There is no case set {set_id[:40]!r}."


def _no_study(study_id: str) -> str:
    return f"There is no study {study_id[:40]!r}."


def _no_seat(code: str) -> str:
    return f"There is no invitation {code[:20]!r}; check it with whoever sent it."

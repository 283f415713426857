"""Sittings and answers in the store: each answer counts once, whatever the number of tabs, servers and clicks.

Every method raises StoreError, in one sentence, when the database fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import CursorResult, Select, func, select, update
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.reading.answers import answer_to_json
from synth.reading.choice import Estimate
from synth.reading.items import Item
from synth.reading.sessions import Answered, Dealt, ReadingSession
from synth.store import sitting_records as records
from synth.store.database import Database, insert_once
from synth.store.tables import AnswerRow, DealtRow, DifficultyRow, SessionRow, SkillRow, StudyRow

Kept = Literal["kept", "answered", "ended"]  # what became of an answer


@dataclass(frozen=True, slots=True)
class Skill:
    """What a reader knows of one code: the estimate, and the card of spaced repetition ("" without one)."""

    estimate: Estimate
    card: str = ""


Skills = Mapping[str, Skill]
Learn = Callable[[Skills, Estimate], tuple[Skills, Estimate]]  # skills and difficulty before -> those after


class Sittings:
    """The reading sessions of one database. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, session: ReadingSession) -> ReadingSession:
        """Keep a new session with what was dealt. One that is already there, by id or by study, reader and phase,
        stays and is returned. Raises StoreError where its study is unknown.
        """
        study = session.plan.study
        with self._database.writing() as db:
            if study and db.scalar(select(StudyRow.id).where(StudyRow.id == study)) is None:
                raise StoreError(f"There is no study {study[:40]!r}.")
            if not insert_once(db, SessionRow, records.session_columns(session)):
                return records.session(db, db.scalars(_there(session).limit(1)).one())
            db.add_all(records.dealt_row(session.id, place, dealt) for place, dealt in enumerate(session.dealt))
        return session

    def session(self, session_id: str) -> ReadingSession:
        """The session with everything dealt and answered. Raises StoreError when it is unknown."""
        with self._database.reading() as db:
            row = db.scalar(select(SessionRow).where(SessionRow.id == session_id))
            if row is None:
                raise StoreError(f"There is no reading session {session_id[:40]!r}.")
            return records.session(db, row)

    def sessions(
        self, reader: str | None = None, *, source: str | None = None, study: str | None = None, limit: int = 200
    ) -> list[ReadingSession]:
        """Sessions with what was dealt and answered, the latest first, of one reader, set or study or of all."""
        query = select(SessionRow).order_by(SessionRow.seq.desc()).limit(limit)
        if reader is not None:
            query = query.where(SessionRow.reader == reader)
        if source is not None:
            query = query.where(SessionRow.source == source)
        if study is not None:
            query = query.where(SessionRow.study_id == study)
        with self._database.reading() as db:
            return [records.session(db, row) for row in db.scalars(query)]

    def stamps(self, reader: str) -> list[tuple[str, str]]:
        """The ids of a reader's sessions, the latest first, each with a stamp that an answer or the end changes."""
        last = func.max(AnswerRow.at)
        query = select(SessionRow.id, SessionRow.ended_at, func.count(AnswerRow.seq), last)
        query = query.outerjoin(AnswerRow, AnswerRow.session_id == SessionRow.id).where(SessionRow.reader == reader)
        with self._database.reading() as db:
            rows = db.execute(query.group_by(SessionRow.seq).order_by(SessionRow.seq.desc()))
            return [(name, f"{count} {latest} {ended}") for name, ended, count, latest in rows]

    def deal(self, session_id: str, position: int, dealt: Dealt) -> Dealt:
        """Keep the case at a position; where another tab dealt one first, that stays and is returned."""
        there = (DealtRow.session_id == session_id) & (DealtRow.position == position)
        with self._database.writing() as db:
            _held(db, session_id)
            row = db.scalar(select(DealtRow).where(there))
            if row is not None:
                return records.dealt(row)
            db.add(records.dealt_row(session_id, position, dealt))
        return dealt

    def set_void(self, session_id: str, position: int) -> None:
        """Say of a case without an answer that it can not be read any more."""
        there = (DealtRow.session_id == session_id) & (DealtRow.position == position)
        answered = (AnswerRow.session_id == session_id) & (AnswerRow.position == position)
        with self._database.writing() as db:
            _held(db, session_id)
            if db.scalar(select(AnswerRow.seq).where(answered)) is None:
                db.execute(update(DealtRow).where(there).values(void=True))

    def answer(self, session_id: str, answered: Answered, learn: Learn | None = None, scope: str = "") -> Kept:
        """Keep an answer, and what the reader has learnt by it, all or nothing.

        "answered": an earlier answer counts and nothing is changed; "ended": the session or its study is over. Raises
        StoreError where the case has not been dealt.
        """
        there = (AnswerRow.session_id == session_id) & (AnswerRow.position == answered.position)
        with self._database.writing() as db:
            row = _held(db, session_id)
            if _over(db, row):
                return "ended"
            if db.scalar(select(AnswerRow.seq).where(there)) is not None:
                return "answered"
            dealt = _asked(db, session_id, answered.position)
            db.add(records.answer_row(session_id, answered))
            if learn is not None:
                _learn(db, row.reader, scope, dealt, learn)
        return "kept"

    def change_answer(self, session_id: str, answered: Answered) -> Kept:
        """Put another answer in the place of an earlier one, while the session lasts; the times add up."""
        there = (AnswerRow.session_id == session_id) & (AnswerRow.position == answered.position)
        with self._database.writing() as db:
            if _over(db, _held(db, session_id)):
                return "ended"
            _asked(db, session_id, answered.position)
            row = db.scalar(select(AnswerRow).where(there))
            if row is None:
                db.add(records.answer_row(session_id, answered))
            else:
                row.answer, row.grade = answer_to_json(answered.answer), answered.grade.to_json()
                row.seconds, row.at = row.seconds + answered.seconds, answered.at
        return "kept"

    def revise(self, session_id: str, answered: Answered) -> bool:
        """Keep the opinion that was shown and the answer after it, once; False where that has been done before."""
        first = (AnswerRow.session_id == session_id) & (AnswerRow.position == answered.position)
        revised, grade = answered.revised, answered.revised_grade
        assert revised is not None and grade is not None
        changed = update(AnswerRow).where(first & AnswerRow.revised.is_(None))
        values = {"opinion": answered.opinion, "revised": answer_to_json(revised), "revised_grade": grade.to_json()}
        with self._database.writing() as db:
            if _over(db, _held(db, session_id)):
                return False
            _asked(db, session_id, answered.position)
            result = db.execute(changed.values(**values))
            assert isinstance(result, CursorResult)
            return result.rowcount == 1

    def end(self, session_id: str, at: datetime, lessons: Mapping[int, tuple[str, Learn]] | None = None) -> None:
        """End a session, once, with what its answers teach: position -> (scope, lesson). Its time stays thereafter."""
        with self._database.writing() as db:
            row = _held(db, session_id)
            if row.ended_at is not None:
                return
            row.ended_at = at
            for position, (scope, learn) in sorted((lessons or {}).items()):
                _learn(db, row.reader, scope, _asked(db, session_id, position), learn)
                db.flush()

    def skills(self, reader: str, scope: str) -> dict[str, Skill]:
        """What a reader knows, by code."""
        query = select(SkillRow).where(SkillRow.reader == reader, SkillRow.scope == scope).order_by(SkillRow.code)
        with self._database.reading() as db:
            return {row.code: Skill(Estimate(row.value, row.count), row.card) for row in db.scalars(query)}

    def difficulties(self, task: str) -> dict[str, Estimate]:
        """How hard each case is under one task, by case."""
        query = select(DifficultyRow).where(DifficultyRow.task == task)
        with self._database.reading() as db:
            return {row.case: Estimate(row.value, row.count) for row in db.scalars(query)}


def _there(session: ReadingSession) -> Select[SessionRow]:
    plan = session.plan
    same = SessionRow.id == session.id
    if plan.study:
        of_study = (SessionRow.study_id == plan.study) & (SessionRow.reader == session.reader)
        same |= of_study & (SessionRow.phase == plan.phase)
    return select(SessionRow).where(same)


def _held(db: Session, session_id: str) -> SessionRow:
    """The session's row, locked until the end of the transaction, so that two tabs take turns."""
    row = db.scalar(select(SessionRow).where(SessionRow.id == session_id).with_for_update())
    if row is None:
        raise StoreError(f"There is no reading session {session_id[:40]!r}.")
    return row


def _over(db: Session, row: SessionRow) -> bool:
    if row.ended_at is not None:
        return True
    # Held against a change, so that no answer is kept after the lock; readers do not wait for each other.
    locked = select(StudyRow.locked_at).where(StudyRow.id == row.study_id).with_for_update(read=True)
    return row.study_id is not None and db.scalar(locked) is not None


def _asked(db: Session, session_id: str, position: int) -> DealtRow:
    there = (DealtRow.session_id == session_id) & (DealtRow.position == position)
    row = db.scalar(select(DealtRow).where(there & DealtRow.void.is_(False)))
    if row is None:
        raise StoreError(f"Case {position + 1} of the reading session {session_id[:40]!r} is not there to be answered.")
    return row


def _learn(db: Session, reader: str, scope: str, dealt: DealtRow, learn: Learn) -> None:
    task = Item.from_json(dealt.item).task.value
    # Skills have no row to hold before the first answer: two sittings of one reader take turns at the first of them.
    first = select(SessionRow.seq).where(SessionRow.reader == reader).order_by(SessionRow.seq).limit(1)
    db.execute(first.with_for_update())
    of_reader = select(SkillRow).where(SkillRow.reader == reader, SkillRow.scope == scope)
    rows = {row.code: row for row in db.scalars(of_reader)}
    of_case = select(DifficultyRow).where(DifficultyRow.case == dealt.case, DifficultyRow.task == task)
    insert_once(db, DifficultyRow, {"case": dealt.case, "task": task, "value": 0.0, "count": 0})
    hard = db.scalars(of_case.with_for_update()).one()
    known = {code: Skill(Estimate(row.value, row.count), row.card) for code, row in rows.items()}
    after, difficulty = learn(known, Estimate(hard.value, hard.count))
    hard.value, hard.count = difficulty.value, difficulty.count
    for code, skill in after.items():
        row = rows.get(code)
        if row is None:
            row = SkillRow(reader=reader, scope=scope, code=code)
            db.add(row)
        row.value, row.count, row.card = skill.estimate.value, skill.estimate.count, skill.card

"""Sittings and answers in the store: each answer counts once, whatever the number of tabs, servers and clicks.

Every method raises StoreError, in one sentence, when the database fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import CursorResult, Select, select, update
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.reading.answers import answer_from_json, answer_to_json
from synth.reading.choice import Estimate
from synth.reading.grading import Grade
from synth.reading.items import Item
from synth.reading.sessions import Answered, Dealt, Plan, ReadingSession
from synth.store.database import Database
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
        stays and is returned.
        """
        with self._database.writing() as db:
            found = db.scalar(_there(session))
            if found is not None:
                return _session(db, found)
            plan = session.plan
            db.add(
                SessionRow(
                    id=session.id,
                    reader=session.reader,
                    plan=plan.to_json(),
                    source=plan.source,
                    study_id=plan.study or None,
                    phase=plan.phase,
                    started_at=session.started_at,
                    ended_at=session.ended_at,
                )
            )
            db.flush()
            db.add_all(_dealt_row(session.id, place, dealt) for place, dealt in enumerate(session.dealt))
        return session

    def session(self, session_id: str) -> ReadingSession:
        """The session with everything dealt and answered. Raises StoreError when it is unknown."""
        with self._database.reading() as db:
            row = db.scalar(select(SessionRow).where(SessionRow.id == session_id))
            if row is None:
                raise StoreError(f"There is no reading session {session_id[:40]!r}.")
            return _session(db, row)

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
            return [_session(db, row) for row in db.scalars(query)]

    def deal(self, session_id: str, position: int, dealt: Dealt) -> Dealt:
        """Keep the case at a position; where another tab dealt one first, that stays and is returned."""
        there = (DealtRow.session_id == session_id) & (DealtRow.position == position)
        with self._database.writing() as db:
            _held(db, session_id)
            row = db.scalar(select(DealtRow).where(there))
            if row is not None:
                return _dealt(row)
            db.add(_dealt_row(session_id, position, dealt))
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

        "answered": an earlier answer counts and nothing is changed; "ended": the session or its study is over.
        """
        there = (AnswerRow.session_id == session_id) & (AnswerRow.position == answered.position)
        with self._database.writing() as db:
            row = _held(db, session_id)
            if _over(db, row):
                return "ended"
            if db.scalar(select(AnswerRow.seq).where(there)) is not None:
                return "answered"
            db.add(_answer_row(session_id, answered))
            if learn is not None:
                dealt = db.scalars(
                    select(DealtRow).where(DealtRow.session_id == session_id, DealtRow.position == answered.position)
                ).one()
                _learn(db, row.reader, scope, dealt, learn)
        return "kept"

    def change_answer(self, session_id: str, answered: Answered) -> Kept:
        """Put another answer in the place of an earlier one, while the session lasts; the times add up."""
        there = (AnswerRow.session_id == session_id) & (AnswerRow.position == answered.position)
        with self._database.writing() as db:
            if _over(db, _held(db, session_id)):
                return "ended"
            row = db.scalar(select(AnswerRow).where(there))
            if row is None:
                db.add(_answer_row(session_id, answered))
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
            result = db.execute(changed.values(**values))
            assert isinstance(result, CursorResult)
            return result.rowcount == 1

    def end(self, session_id: str, at: datetime) -> None:
        """End a session; one that has ended keeps its time."""
        running = (SessionRow.id == session_id) & SessionRow.ended_at.is_(None)
        with self._database.writing() as db:
            db.execute(update(SessionRow).where(running).values(ended_at=at))

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
    locked = select(StudyRow.locked_at).where(StudyRow.id == row.study_id)
    return row.study_id is not None and db.scalar(locked) is not None


def _learn(db: Session, reader: str, scope: str, dealt: DealtRow, learn: Learn) -> None:
    item = Item.from_json(dealt.item)
    of_reader = select(SkillRow).where(SkillRow.reader == reader, SkillRow.scope == scope).with_for_update()
    rows = {row.code: row for row in db.scalars(of_reader)}
    of_case = select(DifficultyRow).where(DifficultyRow.case == dealt.case, DifficultyRow.task == item.task.value)
    hard = db.scalar(of_case.with_for_update())
    if hard is None:
        hard = DifficultyRow(case=dealt.case, task=item.task.value, value=0.0, count=0)
        db.add(hard)
    known = {code: Skill(Estimate(row.value, row.count), row.card) for code, row in rows.items()}
    after, difficulty = learn(known, Estimate(hard.value, hard.count))
    hard.value, hard.count = difficulty.value, difficulty.count
    for code, skill in after.items():
        row = rows.get(code)
        if row is None:
            row = SkillRow(reader=reader, scope=scope, code=code)
            db.add(row)
        row.value, row.count, row.card = skill.estimate.value, skill.estimate.count, skill.card


def _session(db: Session, row: SessionRow) -> ReadingSession:
    items = select(DealtRow).where(DealtRow.session_id == row.id).order_by(DealtRow.position)
    answers = select(AnswerRow).where(AnswerRow.session_id == row.id).order_by(AnswerRow.position)
    return ReadingSession(
        id=row.id,
        reader=row.reader,
        plan=Plan.from_json(row.plan),
        started_at=row.started_at,
        ended_at=row.ended_at,
        dealt=tuple(_dealt(item) for item in db.scalars(items)),
        answers={answer.position: _answered(answer) for answer in db.scalars(answers)},
    )


def _dealt(row: DealtRow) -> Dealt:
    sources = tuple(json.loads(row.sources))
    return Dealt(Item.from_json(row.item), row.case, sources, row.history, row.teaching, row.void)


def _dealt_row(session_id: str, position: int, dealt: Dealt) -> DealtRow:
    return DealtRow(
        session_id=session_id,
        position=position,
        item=dealt.item.to_json(),
        case=dealt.case,
        sources=json.dumps(dealt.sources),
        history=dealt.history,
        teaching=dealt.teaching,
        void=dealt.void,
    )


def _answered(row: AnswerRow) -> Answered:
    return Answered(
        position=row.position,
        answer=answer_from_json(row.answer),
        grade=Grade.from_json(row.grade),
        seconds=row.seconds,
        at=row.at,
        opinion=row.opinion,
        revised=answer_from_json(row.revised) if row.revised else None,
        revised_grade=Grade.from_json(row.revised_grade) if row.revised_grade else None,
    )


def _answer_row(session_id: str, answered: Answered) -> AnswerRow:
    return AnswerRow(
        session_id=session_id,
        position=answered.position,
        answer=answer_to_json(answered.answer),
        grade=answered.grade.to_json(),
        seconds=answered.seconds,
        at=answered.at,
        opinion=answered.opinion,
        revised=None if answered.revised is None else answer_to_json(answered.revised),
        revised_grade=None if answered.revised_grade is None else answered.revised_grade.to_json(),
    )

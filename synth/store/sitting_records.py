"""Rows of sittings and the values that they hold."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from synth.reading.answers import answer_from_json, answer_to_json
from synth.reading.grading import Grade
from synth.reading.items import Item
from synth.reading.sessions import Answered, Dealt, Plan, ReadingSession
from synth.store.tables import AnswerRow, DealtRow, SessionRow


def session_columns(session: ReadingSession) -> dict[str, Any]:
    """The columns of a session without what was dealt and answered."""
    plan = session.plan
    return {
        "id": session.id,
        "reader": session.reader,
        "plan": plan.to_json(),
        "source": plan.source,
        "study_id": plan.study or None,
        "phase": plan.phase,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
    }


def session(db: Session, row: SessionRow) -> ReadingSession:
    """The session with everything dealt and answered."""
    items = select(DealtRow).where(DealtRow.session_id == row.id).order_by(DealtRow.position)
    answers = select(AnswerRow).where(AnswerRow.session_id == row.id).order_by(AnswerRow.position)
    return ReadingSession(
        id=row.id,
        reader=row.reader,
        plan=Plan.from_json(row.plan),
        started_at=row.started_at,
        ended_at=row.ended_at,
        dealt=tuple(dealt(item) for item in db.scalars(items)),
        answers={answer.position: answered(answer) for answer in db.scalars(answers)},
    )


def dealt(row: DealtRow) -> Dealt:
    """The case of a row."""
    sources = tuple(json.loads(row.sources))
    return Dealt(Item.from_json(row.item), row.case, sources, row.history, row.teaching, row.void)


def dealt_row(session_id: str, position: int, dealt: Dealt) -> DealtRow:
    """The row of a case at a position of its session."""
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


def answered(row: AnswerRow) -> Answered:
    """The answer of a row."""
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


def answer_row(session_id: str, answered: Answered) -> AnswerRow:
    """The row of an answer."""
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

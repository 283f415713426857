"""Withdrawal inside a transaction: the image, what was made of it, the case sets that hold it, and open sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from synth.governance.release import State, require_move, require_reason
from synth.governance.roles import User
from synth.prompts import guard
from synth.reading.cases import Standing
from synth.store import states
from synth.store.release_tables import StateRow
from synth.store.tables import AnswerRow, DealtRow, EntryRow, SessionRow
from synth.store.trail import append
from synth.types import AuditEvent

WITHDRAW = "withdraw"  # action of the audit trail


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How far it reached: images with it, entries of case sets, cases that open sessions skip, and those read before.

    What was read before stays as it was read. Files that have left are not reached.
    """

    images: tuple[str, ...]
    entries: int
    skipped: int
    read: int


def withdraw(session: Session, image_id: str, user: User, reason: str, at: datetime) -> Withdrawal:
    """Withdraw an image and all that was made of it. Raises PolicyError, StoreError."""
    require_reason(reason)
    guard(reason)
    row = states.held(session, image_id)
    require_move(states.release_of(row), State.WITHDRAWN, user)
    events = []
    family = [row, *_made_of(session, image_id)]
    for one in family:
        of_it = reason.strip() if one is row else f"it was made of image {image_id}: {reason.strip()}"
        events.append(AuditEvent(at, user.name, WITHDRAW, one.image, of_it, {"from": one.state}))
        one.state, one.reason = State.WITHDRAWN.value, of_it
    ids = [one.image for one in family]
    entries = _void_entries(session, ids)
    skipped, read = _void_cases(session, ids)
    append(session, events)
    return Withdrawal(tuple(ids), entries, skipped, read)


def _made_of(session: Session, image_id: str) -> list[StateRow]:
    """What was made of an image, and of that, and so on, held; without what is withdrawn already."""
    found: list[StateRow] = []
    parents = [image_id]
    while parents:
        query = select(StateRow).where(StateRow.origin.in_(parents)).order_by(StateRow.seq).with_for_update()
        rows = [row for row in session.scalars(query) if row.state != State.WITHDRAWN.value]
        found += rows
        parents = [row.image for row in rows]
    return found


def _void_entries(session: Session, ids: Sequence[str]) -> int:
    """Take the images out of all case sets: their entries stay, and say why nobody reads them."""
    of_them = or_(EntryRow.job.in_(ids), EntryRow.base_job.in_(ids))
    rows = session.scalars(select(EntryRow).where(of_them).order_by(EntryRow.seq).with_for_update()).all()
    for row in rows:
        row.standing = Standing.WITHDRAWN.value
        row.problem = "Its image was withdrawn; draw it again or remove it."
    return len(rows)


def _void_cases(session: Session, ids: Sequence[str]) -> tuple[int, int]:
    """Have open sessions skip the images where they are not answered; how many are skipped and how many were read."""
    named = or_(*(DealtRow.sources.contains(f'"synthetic:{name}"', autoescape=True) for name in ids))
    of_them = select(DealtRow.session_id).where(named)
    # Sessions first, so that no answer is kept meanwhile.
    query = select(SessionRow).where(SessionRow.id.in_(of_them)).order_by(SessionRow.seq).with_for_update()
    is_open = {row.id: row.ended_at is None for row in session.scalars(query)}
    given = select(AnswerRow.session_id, AnswerRow.position).where(AnswerRow.session_id.in_(of_them))
    answered = {(name, position) for name, position in session.execute(given)}
    skipped = read = 0
    for row in session.scalars(select(DealtRow).where(named)):
        if (row.session_id, row.position) in answered:
            read += 1
        elif is_open[row.session_id] and not row.void:
            row.void = True
            skipped += 1
    return skipped, read

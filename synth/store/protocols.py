"""Protocols in the store: what was opened, changed, ended, made and exported under them, each with its audit event.

Every method raises StoreError, in one sentence, when the database fails.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.governance.protocols import Protocol
from synth.governance.release import State, Use
from synth.governance.roles import User
from synth.store import states
from synth.store.database import Database
from synth.store.release_tables import JobProtocolRow, ProtocolRow, StateRow
from synth.store.trail import Sought, Trail, append
from synth.types import AuditEvent

OPEN, PEOPLE, END = "protocol.open", "protocol.people", "protocol.end"  # actions of the audit trail
ASK, EXPORT = "research.ask", "dataset.export"
LISTS = ("modalities", "findings", "people", "groups")
TEXTS = ("id", "title", "board", "purpose", "opened_at", "expires_at", "ended_at")


class Protocols:
    """The protocols of one database. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, protocol: Protocol, user: User) -> None:
        """Open a protocol. An id that is taken raises StoreError."""
        detail = {name: list(getattr(protocol, name)) for name in LISTS}
        detail |= {"board": [protocol.board], "expires": [protocol.expires_at.isoformat()]}
        with self._database.writing() as session:
            session.add(ProtocolRow(**_columns(protocol)))
            append(session, [AuditEvent(protocol.opened_at, user.name, OPEN, protocol.id, "", detail)])

    def protocol(self, protocol_id: str) -> Protocol:
        """The protocol. Raises StoreError when it is unknown."""
        with self._database.reading() as session:
            return _protocol(_row(session, protocol_id))

    def protocols(self) -> list[Protocol]:
        """All protocols, the latest first."""
        with self._database.reading() as session:
            return [_protocol(row) for row in session.scalars(select(ProtocolRow).order_by(ProtocolRow.seq.desc()))]

    def set_people(
        self, protocol_id: str, user: User, people: Sequence[str], groups: Sequence[str], at: datetime
    ) -> None:
        """Change who belongs to a protocol. Raises StoreError when it is unknown or has ended."""
        detail = {"people": list(people), "groups": list(groups)}
        with self._database.writing() as session:
            row = _held_open(session, protocol_id)
            row.people, row.groups = json.dumps(list(people)), json.dumps(list(groups))
            append(session, [AuditEvent(at, user.name, PEOPLE, protocol_id, "", detail)])

    def end(self, protocol_id: str, user: User, at: datetime) -> None:
        """End a protocol, once and for good. Raises StoreError when it is unknown or has ended."""
        with self._database.writing() as session:
            _held_open(session, protocol_id).ended_at = at
            append(session, [AuditEvent(at, user.name, END, protocol_id, "")])

    def claim(self, protocol_id: str, job_ids: Sequence[str], user: User, at: datetime) -> None:
        """Put jobs that are about to be submitted under a protocol; their images and events will name it.

        Raises StoreError where the protocol is unknown or has ended meanwhile.
        """
        detail = {"jobs": list(job_ids)}
        with self._database.writing() as session:
            _held_open(session, protocol_id)
            session.add_all(JobProtocolRow(job=job_id, protocol=protocol_id) for job_id in job_ids)
            append(session, [AuditEvent(at, user.name, ASK, protocol_id, "", detail)])

    def counts(self, protocol_id: str) -> dict[State, int]:
        """How many images were made under a protocol, by state."""
        query = select(StateRow.state, func.count()).where(StateRow.protocol == protocol_id).group_by(StateRow.state)
        with self._database.reading() as session:
            return {State(state): count for state, count in session.execute(query)}

    def usable(self, protocol_id: str) -> list[str]:
        """The images of a protocol that research may use, the oldest first."""
        query = select(StateRow).where(StateRow.protocol == protocol_id).order_by(StateRow.seq)
        with self._database.reading() as session:
            return [row.image for row in session.scalars(query) if states.release_of(row).allows(Use.RESEARCH)]

    def add_export(self, image_ids: Sequence[str], event: AuditEvent) -> None:
        """Keep that images leave. Raises PolicyError where one may not any more: it was withdrawn meanwhile."""
        with self._database.writing() as session:
            _held_open(session, event.subject)
            for row in session.scalars(select(StateRow).where(StateRow.image.in_(list(image_ids))).with_for_update()):
                states.release_of(row).require(Use.RESEARCH)
            append(session, [event])

    def exports(self, protocol_id: str) -> list[AuditEvent]:
        """What was exported under a protocol, the latest first."""
        with Trail(self._database).snapshot(Sought(subject=protocol_id, action=EXPORT)) as (_, entries):
            return [entry.event() for entry in entries][::-1]


def _row(session: Session, protocol_id: str, held: bool = False) -> ProtocolRow:
    query = select(ProtocolRow).where(ProtocolRow.id == protocol_id)
    row = session.scalar(query.with_for_update() if held else query)
    if row is None:
        raise StoreError(f"There is no protocol {protocol_id[:40]!r}.")
    return row


def _held_open(session: Session, protocol_id: str) -> ProtocolRow:
    row = _row(session, protocol_id, held=True)
    if row.ended_at is not None:
        raise StoreError(f"The protocol {row.title!r} was ended on {row.ended_at:%Y-%m-%d}.")
    return row


def _columns(protocol: Protocol) -> dict[str, Any]:
    lists = {name: json.dumps(list(getattr(protocol, name))) for name in LISTS}
    return {name: getattr(protocol, name) for name in TEXTS} | lists


def _protocol(row: ProtocolRow) -> Protocol:
    columns: dict[str, Any] = {name: getattr(row, name) for name in TEXTS}
    return Protocol(**columns | {name: tuple(json.loads(getattr(row, name))) for name in LISTS})

"""The release state of an image inside a transaction of somebody else: how it begins, how it is held and read."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.governance.release import Fitness, Release, State, first_state
from synth.store.release_tables import JobProtocolRow, StateRow
from synth.types import GeneratedImage

MADE_OF = ("synthetic", "altered")  # kinds of origin that are images of ours


def begin(session: Session, image: GeneratedImage) -> str:
    """Give a kept image its first state; returns the id of the protocol that it was made under, or an empty one."""
    kind, _, name = image.request.edit.origin.partition(":") if image.request.edit else ("", "", "")
    origin = name if kind in MADE_OF else ""
    base = find(session, origin) if origin else None
    release = None if base is None else release_of(base)
    asked = session.scalar(select(JobProtocolRow.protocol).where(JobProtocolRow.job == image.id)) or ""
    passed = bool(image.quality.checks) and image.quality.passed
    state = first_state(passed, release)
    reason = f"it was made of image {origin}" if state is State.WITHDRAWN else ""
    session.add(StateRow(image=image.id, state=state.value, reason=reason, origin=origin, protocol=asked))
    return asked


def find(session: Session, image_id: str) -> StateRow | None:
    """The state of an image, held until the end of the transaction; None where there is no such image."""
    return session.scalar(select(StateRow).where(StateRow.image == image_id).with_for_update())


def held(session: Session, image_id: str) -> StateRow:
    """As `find`. Raises StoreError where there is no such image."""
    row = find(session, image_id)
    if row is None:
        raise StoreError(f"There is no image {image_id!r} in the store.")
    return row


def release_of(row: StateRow) -> Release:
    """The value of a row."""
    fit = None if row.fit is None else frozenset(map(Fitness, row.fit.split()))
    return Release(row.image, State(row.state), fit, row.reason, row.protocol)

"""What radiologists say of images, and what each image may be used for: every change with its audit event.

Every method raises StoreError, in one sentence, when the database fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from synth.errors import PolicyError, StoreError
from synth.governance.release import Release, State, require_judge, require_move
from synth.governance.reviews import Outcome, Review, Verdict, outcome, require_review
from synth.governance.roles import LOCAL_USER, User
from synth.prompts import guard
from synth.store import records, states, trail, withdrawal
from synth.store.database import Database, insert_once
from synth.store.records import StoredImage
from synth.store.release_tables import ReviewRow, StateRow
from synth.store.tables import ImageRow
from synth.store.withdrawal import Withdrawal
from synth.types import AuditEvent

QUEUE_MAX = 200
REVIEW, STATE = "review", "state"  # actions of the audit trail


@dataclass(frozen=True, slots=True)
class Sought:
    """Which images a queue holds; what is empty filters nothing."""

    state: State = State.CHECKED
    disputed: bool = False  # two readers disagree
    finding: str = ""  # code
    model: str = ""  # id
    maker: str = ""


class Validation:
    """States and reviews of one database. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def release(self, image_id: str) -> Release:
        """How an image stands. Raises StoreError when it is unknown."""
        found = self.releases([image_id])
        if not found:
            raise StoreError(f"There is no image {image_id!r} in the store.")
        return found[image_id]

    def releases(self, image_ids: Iterable[str]) -> dict[str, Release]:
        """How images stand, by id, of those that are there."""
        query = select(StateRow).where(StateRow.image.in_(list(image_ids)))
        with self._database.reading() as session:
            return {row.image: states.release_of(row) for row in session.scalars(query)}

    def queue(self, user: User, sought: Sought) -> list[StoredImage]:
        """Images for a reader, the oldest first: none that he judged, asked for himself or that is settled."""
        with self._database.reading() as session:
            return [records.stored_image(row) for row in session.scalars(_queue(user, sought).limit(QUEUE_MAX))]

    def makers(self) -> list[str]:
        """Who has asked for images, by name."""
        with self._database.reading() as session:
            return list(session.scalars(select(ImageRow.requested_by).distinct().order_by(ImageRow.requested_by)))

    def in_state(self, state: State, limit: int = QUEUE_MAX) -> list[StoredImage]:
        """Images in a state, the oldest first."""
        query = select(ImageRow).join(StateRow, StateRow.image == ImageRow.id).where(StateRow.state == state.value)
        with self._database.reading() as session:
            return [records.stored_image(row) for row in session.scalars(query.order_by(ImageRow.seq).limit(limit))]

    def reviews(self, image_id: str | None = None) -> list[Review]:
        """What was said of one image or of all, the oldest first."""
        with self._database.reading() as session:
            return _reviews(session, image_id)

    def judge(self, review: Review, user: User, two_readers: bool) -> Outcome:
        """Keep a review and what follows from it, all or nothing; returns what the image's reviews now come to.

        Raises PolicyError where the reader may not judge this image or it was withdrawn, RequestError where the
        review does not fit the request, StoreError where he has judged it or another reader was faster.
        """
        with self._database.writing() as session:
            row = states.held(session, review.image)  # two readers take turns
            image = session.scalars(select(ImageRow).where(ImageRow.id == review.image)).one()
            asked, made = records.stored_image(image).request.findings, records.provenance(image.provenance)
            review = replace(review, reader=user.name, model=made.model_id, revision=made.model_revision)
            require_judge(user, image.requested_by)
            require_review(review, asked, guard)
            if row.state == State.WITHDRAWN.value:
                raise PolicyError(states.release_of(row).words)
            before = _reviews(session, review.image)
            if review.adjudicates != (outcome(before, asked, two_readers).verdict is Verdict.DISPUTED):
                raise StoreError("Another reader has judged this image meanwhile; look at it again.")
            if not insert_once(session, ReviewRow, _columns(review)):
                raise StoreError(f"{user.name} has judged this image before; the first judgement counts.")
            reached = outcome([*before, review], asked, two_readers)
            trail.append(session, [_said(review), *_settled(row, reached, user, review.at)])
        return reached

    def set_released(self, image_ids: Sequence[str], user: User, at: datetime) -> None:
        """Release validated images, all or none. Raises PolicyError where one is not, or the user may not."""
        with self._database.writing() as session:
            rows = [states.held(session, image_id) for image_id in sorted(set(image_ids))]
            trail.append(session, [_moved(row, State.RELEASED, user, at) for row in rows])

    def withdraw(self, image_id: str, user: User, reason: str, at: datetime) -> Withdrawal:
        """Withdraw an image and all that was made of it, for good; returns how far that reached.

        Raises PolicyError where the user may not, the reason says nothing or names a person, or it is withdrawn.
        """
        with self._database.writing() as session:
            return withdrawal.withdraw(session, image_id, user, reason, at)

    def history(self, image_id: str) -> list[AuditEvent]:
        """What happened to an image, the oldest first."""
        with trail.Trail(self._database).snapshot(trail.Sought(subject=image_id)) as (_, entries):
            return [entry.event() for entry in entries]


def _queue(user: User, sought: Sought) -> Select[ImageRow]:
    said = select(func.count()).where(ReviewRow.image == ImageRow.id)
    query = select(ImageRow).join(StateRow, StateRow.image == ImageRow.id).where(StateRow.state == sought.state.value)
    query = query.where(said.where(ReviewRow.reader == user.name).scalar_subquery() == 0)
    if sought.state is State.CHECKED:
        count = said.scalar_subquery()
        query = query.where(StateRow.fit.is_(None), count >= 2 if sought.disputed else count < 2)
    if user != LOCAL_USER:
        query = query.where(ImageRow.requested_by != user.name)
    if sought.maker:
        query = query.where(ImageRow.requested_by == sought.maker)
    for name, value in (("code", sought.finding), ("model_id", sought.model)):  # as the canonical JSON has them
        if value:
            query = query.where(ImageRow.request.contains(f'"{name}":"{value}"', autoescape=True))
    return query.order_by(ImageRow.seq)


def _reviews(session: Session, image_id: str | None) -> list[Review]:
    query = select(ReviewRow).order_by(ReviewRow.seq)
    if image_id is not None:
        query = query.where(ReviewRow.image == image_id)
    names = ("image", "reader", "at", "model", "revision", "adjudicates")
    return [
        Review.from_json(row.said, **{name: getattr(row, name) for name in names}) for row in session.scalars(query)
    ]


def _columns(review: Review) -> dict[str, Any]:
    names = ("image", "reader", "at", "model", "revision", "adjudicates")
    return {name: getattr(review, name) for name in names} | {"said": review.to_json()}


def _said(review: Review) -> AuditEvent:
    """The event of a review, without its comment."""
    detail = {
        "realism": review.realism,
        "fit": sorted(review.fit),
        "blind": review.blind,
        "adjudicates": review.adjudicates,
        "model": review.model,
        "revision": review.revision,
    }
    return AuditEvent(review.at, review.reader, REVIEW, review.image, "", detail)


def _settled(row: StateRow, reached: Outcome, user: User, at: datetime) -> list[AuditEvent]:
    """Write what a final outcome makes of a checked image that was not judged yet; any other stays as it is."""
    if reached.fit is None or row.fit is not None or row.state != State.CHECKED.value:
        return []
    row.fit = " ".join(sorted(reached.fit))
    return [_moved(row, State.VALIDATED, user, at)] if reached.verdict is Verdict.PASSED else []


def _moved(row: StateRow, to: State, user: User, at: datetime) -> AuditEvent:
    require_move(states.release_of(row), to, user)
    detail = {"from": row.state, "to": to.value}
    row.state = to.value
    return AuditEvent(at, user.name, STATE, row.image, "", detail)

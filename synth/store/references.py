"""The references of drift in the store, and the vectors of the pictures that are compared with them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.governance import drift
from synth.governance.drift import BATCH, BATCHES, IMAGES, Chart, Reference, Vectors
from synth.origins import AuditEvent
from synth.store.database import Database
from synth.store.figure_tables import FactRow, ReferenceRow
from synth.store.holding_tables import VectorRow
from synth.store.trail import append

AUTOMATIC = "synthread"  # who made a reference of the first images of a model
FIRST = "The first images of this revision."
MADE = "reference.made"
Kind = tuple[str, str, str]  # model, revision, modality


class References:
    """What drift is measured from, for each revision of a model and modality. Safe from any thread; raises StoreError.

    New pictures alone count: an edit looks like its base.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that the model which drew last has drawn."""
        last = select(FactRow.model, FactRow.revision).order_by(FactRow.seq.desc()).limit(1)
        with self._database.reading() as session:
            newest = session.execute(last).first()
            if newest is None:
                return ()
            mine = (FactRow.model == newest.model, FactRow.revision == newest.revision, FactRow.mode == "")
            found = session.scalars(select(FactRow.modality).where(*mine).distinct())
            return tuple((newest.model, newest.revision, modality) for modality in sorted(found))

    def unseen(self, kind: Kind, embedder: str, after: int, limit: int) -> dict[str, int]:
        """Images of a kind kept after number `after` that have no vector yet, oldest first, with their numbers."""
        query = select(FactRow.image, FactRow.seq).outerjoin(VectorRow, _vector(embedder))
        query = query.where(*_of(kind), FactRow.seq > after, VectorRow.seq.is_(None))
        with self._database.reading() as session:
            return {row.image: row.seq for row in session.execute(query.order_by(FactRow.seq).limit(limit))}

    def newest(self, kind: Kind) -> Reference | None:
        """The reference that counts now; None while it is being collected."""
        with self._database.reading() as session:
            row = _newest(session, kind)
            return None if row is None else _reference(row)

    def collected(self, kind: Kind) -> int:
        """How many images of a kind have a vector, of one embedder: a reference is made of the first `drift.IMAGES`."""
        seen = VectorRow.source == "synthetic:" + FactRow.image
        query = select(func.count()).select_from(FactRow).join(VectorRow, seen).where(*_of(kind))
        with self._database.reading() as session:
            return max(session.scalars(query.group_by(VectorRow.version)), default=0)

    def freeze(self, kind: Kind, embedder: str, at: datetime) -> Reference | None:
        """Make the first reference of a kind, once there are enough images; None where there is nothing to do.

        An embedder of another version needs a reference of its own: its distances mean something else.
        """
        first = _pictures(kind, embedder).order_by(FactRow.seq).limit(IMAGES)
        with self._database.reading() as session:  # asked every few seconds: nobody waits for it
            if _has(session, kind, embedder) or len(rows := session.execute(first).all()) < IMAGES:
                return None
        with self._database.writing() as session:
            if _has(session, kind, embedder):  # another process was quicker
                return None
            return _keep(session, kind, embedder, rows, AuditEvent(at, AUTOMATIC, MADE, "", FIRST))

    def renew(self, kind: Kind, who: str, reason: str, at: datetime) -> Reference:
        """Make the latest images the reference. Raises StoreError where there are too few."""
        with self._database.writing() as session:
            before = _newest(session, kind)
            embedder = before.embedder if before else ""
            query = _pictures(kind, embedder).order_by(FactRow.seq.desc()).limit(IMAGES)
            rows = session.execute(query).all()
            if len(rows) < IMAGES:
                raise StoreError(f"There are {len(rows)} images to compare with; a reference needs {IMAGES}.")
            return _keep(session, kind, embedder, rows[::-1], AuditEvent(at, who, MADE, "", reason))

    def chart(self, reference: Reference) -> Chart:
        """The control chart of the latest images that came after those of a reference."""
        kind = (reference.model, reference.revision, reference.modality)
        with self._database.reading() as session:
            last = session.scalar(select(ReferenceRow.last_fact).where(ReferenceRow.id == reference.id))
            later = _pictures(kind, reference.embedder).where(FactRow.seq > last)
            count = session.scalar(select(func.count()).select_from(later.subquery())) or 0
            shown = min(BATCHES, count // BATCH) * BATCH
            start = count // BATCH * BATCH - shown  # batches keep their images, however many follow
            rows = session.execute(later.order_by(FactRow.seq).limit(shown + count % BATCH).offset(start)).all()
        return drift.chart(reference, [*drift.distances(_table(rows), reference.centre)] if rows else [])


def _of(kind: Kind) -> tuple[ColumnElement[bool], ...]:
    model, revision, modality = kind
    return FactRow.model == model, FactRow.revision == revision, FactRow.modality == modality, FactRow.mode == ""


def _vector(embedder: str) -> ColumnElement[bool]:
    return and_(VectorRow.source == "synthetic:" + FactRow.image, VectorRow.version == embedder)


def _pictures(kind: Kind, embedder: str) -> Select[int, bytes]:
    return select(FactRow.seq, VectorRow.vector).join(VectorRow, _vector(embedder)).where(*_of(kind))


def _table(rows: Sequence[Row[int, bytes]]) -> Vectors:
    flat = np.frombuffer(b"".join(row.vector for row in rows), np.float16)
    return flat.reshape(len(rows), -1).astype(np.float32)


def _newest(session: Session, kind: Kind) -> ReferenceRow | None:
    row, (model, revision, modality) = ReferenceRow, kind
    mine = (row.model == model, row.revision == revision, row.modality == modality)
    return session.scalar(select(row).where(*mine).order_by(row.seq.desc()).limit(1))


def _has(session: Session, kind: Kind, embedder: str) -> bool:
    newest = _newest(session, kind)
    return newest is not None and newest.embedder == embedder


def _keep(session: Session, kind: Kind, embedder: str, rows: Sequence[Row[int, bytes]], event: AuditEvent) -> Reference:
    centre, mean, sd = drift.measured(_table(rows))
    model, revision, modality = kind
    row = ReferenceRow(
        id=uuid.uuid4().hex,
        model=model,
        revision=revision,
        modality=modality,
        embedder=embedder,
        made_at=event.at,
        made_by=event.who,
        reason=event.reason,
        count=len(rows),
        last_fact=rows[-1].seq,
        centre=centre.tobytes(),
        mean=mean,
        sd=sd,
    )
    session.add(row)
    detail = {"model": model, "revision": revision, "modality": modality, "embedder": embedder, "images": len(rows)}
    made = AuditEvent(event.at, event.who, event.action, row.id, event.reason, detail)
    append(session, [made])
    return _reference(row)


def _reference(row: ReferenceRow) -> Reference:
    return Reference(
        row.id,
        row.model,
        row.revision,
        row.modality,
        row.embedder,
        row.made_at,
        row.made_by,
        row.reason,
        row.count,
        np.frombuffer(row.centre, np.float32),
        row.mean,
        row.sd,
    )

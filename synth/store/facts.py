"""What is counted of an image, kept in the transaction that keeps the image."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from synth.store.figure_tables import FactRow
from synth.store.tables import JobRow
from synth.types import GeneratedImage


def keep_fact(session: Session, image: GeneratedImage) -> None:
    """Keep what is counted of a new image. How long it waited is known where a job asked for it."""
    asked_at = session.scalar(select(JobRow.asked_at).where(JobRow.id == image.id))  # an image has its job's id
    began = image.provenance.created_at
    failed = [check.name for check in image.quality.checks if not check.passed]
    session.add(
        FactRow(
            image=image.id,
            at=began,
            who=image.provenance.requested_by,
            model=image.provenance.model_id,
            revision=image.provenance.model_revision,
            modality=image.request.modality.value,
            mode=image.request.edit.mode if image.request.edit else "",
            waited=None if asked_at is None else max(0.0, (began - asked_at).total_seconds()),
            drawn=image.provenance.seconds,
            checks=len(image.quality.checks),
            failed=f"|{'|'.join(failed)}|" if failed else "",
        )
    )

"""The tables of monitoring: one narrow row an image to count by, and the references of drift."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from synth.store.tables import ID_LENGTH, Base


class FactRow(Base):
    """What is counted of one synthetic image; everything but `waited` follows from its row in `images`."""

    __tablename__ = "image_facts"
    __table_args__ = (Index("ix_image_facts_model_revision_mode_modality", "model", "revision", "mode", "modality"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    image: Mapped[str] = mapped_column("image_id", String(ID_LENGTH), ForeignKey("images.id"), unique=True)
    at: Mapped[datetime] = mapped_column(index=True)  # when its drawing began
    who: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    revision: Mapped[str] = mapped_column(Text)
    modality: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str] = mapped_column(String(16))  # of the edit; empty for a new picture
    waited: Mapped[float | None]  # s in the queue; None where nobody measured it
    drawn: Mapped[float]  # s, wall time of its batch
    checks: Mapped[int]  # how many checks there were
    failed: Mapped[str] = mapped_column(Text)  # names of those that failed: "|grid|smoothness|"


class ReferenceRow(Base):
    """What generated pictures of one kind looked like when all was well; see `synth.governance.drift`."""

    __tablename__ = "drift_references"
    __table_args__ = (Index("ix_drift_references_model_revision_modality", "model", "revision", "modality"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    model: Mapped[str] = mapped_column(Text)
    revision: Mapped[str] = mapped_column(Text)
    modality: Mapped[str] = mapped_column(String(16))
    embedder: Mapped[str] = mapped_column(String(ID_LENGTH))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    count: Mapped[int]  # images that it was made of
    last_fact: Mapped[int]  # `image_facts.seq` of the last of them: what came later is compared with it
    centre: Mapped[bytes] = mapped_column(LargeBinary)  # (D,) float32
    mean: Mapped[float]
    sd: Mapped[float]

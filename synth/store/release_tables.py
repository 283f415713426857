"""The tables of release states, reviews and protocols."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from synth.store.tables import ID_LENGTH, Base


class StateRow(Base):
    """How one image stands now; how it came there is in the audit trail."""

    __tablename__ = "image_states"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    image: Mapped[str] = mapped_column("image_id", String(ID_LENGTH), ForeignKey("images.id"), unique=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    fit: Mapped[str | None] = mapped_column(Text)  # words with spaces between; NULL until radiologists have judged
    reason: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)  # the image of ours that it was made of, or ""
    protocol: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)  # or ""


class ReviewRow(Base):
    """One judgement of one reader: the constraint is what keeps a second one out."""

    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("image_id", "reader"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    image: Mapped[str] = mapped_column("image_id", String(ID_LENGTH), ForeignKey("images.id"))
    reader: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column("reviewed_at")
    model: Mapped[str] = mapped_column("model_id", Text)
    revision: Mapped[str] = mapped_column(Text)
    adjudicates: Mapped[bool]
    said: Mapped[str] = mapped_column(Text)  # JSON


class ProtocolRow(Base):
    """A protocol of research. Lists are JSON."""

    __tablename__ = "protocols"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    title: Mapped[str] = mapped_column(Text)
    board: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    modalities: Mapped[str] = mapped_column(Text)
    findings: Mapped[str] = mapped_column(Text)
    people: Mapped[str] = mapped_column("people_names", Text)
    groups: Mapped[str] = mapped_column("group_names", Text)
    ended_at: Mapped[datetime | None]


class JobProtocolRow(Base):
    """The protocol that a job was asked for under; its image will have the job's id."""

    __tablename__ = "job_protocols"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job: Mapped[str] = mapped_column("job_id", String(ID_LENGTH), unique=True)
    protocol: Mapped[str] = mapped_column("protocol_id", String(ID_LENGTH), ForeignKey("protocols.id"))

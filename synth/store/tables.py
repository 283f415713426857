"""The tables, private to `synth.store`: rows stay inside, domain values go in and out."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

# Named constraints, so that a later migration can drop or alter one on every database.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
ID_LENGTH = 64  # a uuid4 hex has 32 characters, a sha256 hex 64


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware datetimes only, kept as UTC (SQLite has no time zones and would drop them)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC. A naive datetime raises ValueError: nobody knows when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back as an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012  SQLAlchemy reads a plain dict here


class ImageRow(Base):
    """One synthetic image. `seq` is the order of storing; JSON is text so that every digit comes back."""

    __tablename__ = "images"
    __table_args__ = (Index("ix_images_requested_by_seq", "requested_by", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    created_at: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(Text)
    request: Mapped[str] = mapped_column(Text)  # GenerationRequest.canonical_json()
    provenance: Mapped[str] = mapped_column(Text)  # JSON
    quality: Mapped[str] = mapped_column(Text)  # JSON
    blob: Mapped[str] = mapped_column(String(ID_LENGTH))  # sha256 of the PNG


class JobRow(Base):
    """One request on its way. `owner` is the engine that works on it, `seen_at` when that engine last said so."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_seen_at", "state", "seen_at"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    user: Mapped[str] = mapped_column("requested_by", Text)  # `user` is a reserved word of PostgreSQL
    request: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    seen_at: Mapped[datetime]
    image_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), ForeignKey("images.id"))
    error: Mapped[str | None] = mapped_column(Text)


class EventRow(Base):
    """One row of the audit trail; rows are only ever added."""

    __tablename__ = "events"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(ID_LENGTH))
    reason: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)  # JSON

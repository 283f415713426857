"""The tables, private to `synth.store`: rows stay inside, domain values go in and out."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, Double, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
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
    type_annotation_map = {datetime: UtcDateTime, float: Double}  # noqa: RUF012  SQLAlchemy reads a plain dict here


class ImageRow(Base):
    """One synthetic image. `seq` is the order of storing; JSON is text so that every digit comes back."""

    __tablename__ = "images"
    __table_args__ = (Index("ix_images_requested_by_seq", "requested_by", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    created_at: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(Text)
    request: Mapped[str] = mapped_column(Text)  # GenerationRequest.canonical_json()
    request_digest: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
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
    asked_at: Mapped[datetime | None]


class EventRow(Base):
    """One row of the audit trail, see `synth.governance.audit`. Triggers refuse to change or delete one."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_action_at", "action", "at"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # one more than that of the tip: no gap
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    reason: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)  # JSON
    previous: Mapped[str] = mapped_column(String(ID_LENGTH))
    hash: Mapped[str] = mapped_column(String(ID_LENGTH))


class TipRow(Base):
    """Number and hash of the last row of `events`, in one row; triggers let the number only grow."""

    __tablename__ = "audit_tip"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(ID_LENGTH))


class CaseSetRow(Base):
    """A set of cases; `code` opens it to trainees."""

    __tablename__ = "case_sets"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    title: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text, index=True)
    open: Mapped[bool]


class EntryRow(Base):
    """One case of a set, synthetic by its recipe or real by its id in the library."""

    __tablename__ = "case_entries"
    __table_args__ = (Index("ix_case_entries_set_id_position", "set_id", "position"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    set_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("case_sets.id", ondelete="CASCADE"))
    position: Mapped[int]
    recipe: Mapped[str | None] = mapped_column(Text)  # JSON
    real: Mapped[str] = mapped_column(String(ID_LENGTH))
    standing: Mapped[str] = mapped_column(String(16), index=True)
    job: Mapped[str] = mapped_column(String(ID_LENGTH))
    base_job: Mapped[str] = mapped_column(String(ID_LENGTH))
    history: Mapped[str] = mapped_column(Text)
    teaching: Mapped[str] = mapped_column(Text)
    problem: Mapped[str] = mapped_column(Text)


class StudyRow(Base):
    """A reader study. `locked_at` ends it."""

    __tablename__ = "studies"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    title: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text, index=True)
    created_at: Mapped[datetime]
    protocol: Mapped[str] = mapped_column(Text)  # JSON
    locked_at: Mapped[datetime | None]


class SeatRow(Base):
    """One reader's place in a study, opened by its own code."""

    __tablename__ = "study_seats"
    __table_args__ = (UniqueConstraint("study_id", "number"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    study_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("studies.id"))
    number: Mapped[int]
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(Text)
    consented_at: Mapped[datetime | None]


class SessionRow(Base):
    """A sitting of one reader. One phase of a study has one sitting a reader."""

    __tablename__ = "reading_sessions"
    __table_args__ = (UniqueConstraint("study_id", "reader", "phase"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    reader: Mapped[str] = mapped_column(Text, index=True)
    plan: Mapped[str] = mapped_column(Text)  # JSON
    source: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)  # id of a case set, empty for the room's cases
    study_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), ForeignKey("studies.id"))
    phase: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DealtRow(Base):
    """One case as it was dealt to a reader, with the truth; it never leaves the server before the answer."""

    __tablename__ = "reading_items"
    __table_args__ = (UniqueConstraint("session_id", "position"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("reading_sessions.id"))
    position: Mapped[int]
    item: Mapped[str] = mapped_column(Text)  # JSON
    case: Mapped[str] = mapped_column("case_id", String(ID_LENGTH))  # `case` is a reserved word
    sources: Mapped[str] = mapped_column(Text)  # JSON
    history: Mapped[str] = mapped_column(Text)
    teaching: Mapped[str] = mapped_column(Text)
    void: Mapped[bool]


class AnswerRow(Base):
    """The answer that counts to one case: the constraint is what keeps a second one out."""

    __tablename__ = "reading_answers"
    __table_args__ = (UniqueConstraint("session_id", "position"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("reading_sessions.id"))
    position: Mapped[int]
    answer: Mapped[str] = mapped_column(Text)  # JSON
    grade: Mapped[str] = mapped_column(Text)  # JSON
    seconds: Mapped[float]
    at: Mapped[datetime] = mapped_column("answered_at")
    opinion: Mapped[str] = mapped_column(Text)  # JSON
    revised: Mapped[str | None] = mapped_column(Text)  # JSON
    revised_grade: Mapped[str | None] = mapped_column(Text)  # JSON


class SkillRow(Base):
    """What one reader knows of one finding: the estimate of the skill and the card of spaced repetition."""

    __tablename__ = "reader_skills"
    __table_args__ = (UniqueConstraint("reader", "scope", "code"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    reader: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(64))
    value: Mapped[float]
    count: Mapped[int]
    card: Mapped[str] = mapped_column(Text)  # JSON, empty where the code has no card


class DifficultyRow(Base):
    """The running estimate of how hard one case is under one task."""

    __tablename__ = "case_difficulties"
    __table_args__ = (UniqueConstraint("case_id", "task"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    case: Mapped[str] = mapped_column("case_id", String(ID_LENGTH))
    task: Mapped[str] = mapped_column(String(32))
    value: Mapped[float]
    count: Mapped[int]

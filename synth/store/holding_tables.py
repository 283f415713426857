"""The tables of the library: real images, what they look like, and what was imported when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from synth.store.tables import ID_LENGTH, Base


class CounterRow(Base):
    """A number that grows with every change; who remembers one reads only what changed since."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int]


class HoldingRow(Base):
    """One real image: of the library folder by its path, or kept by the store after it was de-identified."""

    __tablename__ = "real_images"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    changed: Mapped[int] = mapped_column(index=True)  # the counter "library" when it was last written
    path: Mapped[str] = mapped_column(Text)
    kept: Mapped[str] = mapped_column(String(80), index=True)
    frame: Mapped[int]
    pixel_hash: Mapped[str | None] = mapped_column(String(ID_LENGTH), unique=True)
    thumbnail: Mapped[str] = mapped_column(String(ID_LENGTH))
    modality: Mapped[str] = mapped_column(String(16))
    view: Mapped[str | None] = mapped_column(String(32))
    body_part: Mapped[str] = mapped_column(Text)
    sex: Mapped[str | None] = mapped_column(String(1))
    age: Mapped[int | None]
    findings: Mapped[str] = mapped_column(Text)  # "|nodule|mass|"
    origin: Mapped[str] = mapped_column(Text)
    licence: Mapped[str] = mapped_column(Text)
    attribution: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    boxes: Mapped[str] = mapped_column(Text)  # JSON
    mask: Mapped[str] = mapped_column(String(ID_LENGTH))
    patient: Mapped[str] = mapped_column(Text)
    study_uid: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    series_uid: Mapped[str] = mapped_column(String(ID_LENGTH))
    instance_uid: Mapped[str] = mapped_column(String(ID_LENGTH))
    series_number: Mapped[int | None]
    instance_number: Mapped[int | None]
    original: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    rows: Mapped[int]
    columns: Mapped[int]
    flags: Mapped[str] = mapped_column(Text)  # "|face|"
    words: Mapped[str] = mapped_column(Text)  # what a search for text looks through, in small letters
    edited: Mapped[bool]  # by hand: a metadata.csv does not overwrite it
    import_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    added_at: Mapped[datetime]
    listed: Mapped[bool]  # False while the library folder does not have the file
    removed_at: Mapped[datetime | None]


class VectorRow(Base):
    """What an image looks like to the reader: a unit vector, float16."""

    __tablename__ = "image_vectors"
    __table_args__ = (UniqueConstraint("source", "version"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(String(80))  # "real:<id>" or "synthetic:<id>"
    version: Mapped[str] = mapped_column(String(ID_LENGTH))
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(Base):
    """One import. `owner` is the process that works on it, `seen_at` when that process last said so."""

    __tablename__ = "imports"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    user: Mapped[str] = mapped_column("requested_by", Text)
    order: Mapped[str] = mapped_column("import_order", Text)  # JSON
    state: Mapped[str] = mapped_column(String(16), index=True)
    owner: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    seen_at: Mapped[datetime]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    total: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text)


class ImportFileRow(Base):
    """What became of one file of an import."""

    __tablename__ = "import_files"
    __table_args__ = (
        UniqueConstraint("import_id", "name"),
        Index("ix_import_files_import_id_outcome", "import_id", "outcome"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    import_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("imports.id"))
    name: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    pictures: Mapped[int]

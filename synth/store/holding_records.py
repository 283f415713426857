"""Real images and imports as rows and back; what is asked of the library, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from synth.findings import VOCABULARY
from synth.origins import Box, RealImage
from synth.store.holding_tables import HoldingRow, ImportRow


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """A real image with what the library keeps beside its labels. Identifiers are those after de-identification."""

    image: RealImage
    pixel_hash: str = ""  # sha256 of the stored values; empty where the file lies in the library folder
    thumbnail: str = ""  # sha256 of a stored picture
    patient: str = ""  # pseudonym
    study_uid: str = ""
    series_uid: str = ""
    instance_uid: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    original: str = ""  # keyed hash of the SOP Instance UID that the file came with
    rows: int = 0
    columns: int = 0
    flags: tuple[str, ...] = ()  # "face", "burnt_in"
    import_id: str = ""
    added_at: datetime | None = None  # UTC; set by the store


@dataclass(frozen=True, slots=True)
class Search:
    """Which images: every field that is given must fit. `text` are words that must all occur."""

    text: str = ""
    finding: str | None = None
    modality: str | None = None
    view: str | None = None
    body_part: str | None = None
    sex: str | None = None
    age_from: int | None = None
    age_to: int | None = None
    origin: str | None = None
    licence: str | None = None
    flag: str | None = None
    import_id: str | None = None
    removed: bool = False  # the bin instead of the library


@dataclass(frozen=True, slots=True)
class Facets:
    """The values that occur, sorted: what the filters offer."""

    findings: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What became of a file of an import."""

    ADDED = "added"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class ImportState(StrEnum):
    """Where an import stands. A stopped one can be resumed."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by its user
    FAILED = "failed"  # the source is gone, the disk is full


@dataclass(frozen=True, slots=True, eq=False)
class FileOutcome:
    """What became of one file; `holdings` are the pictures of an accepted one."""

    name: str  # inside its source
    outcome: Outcome
    reason: str = ""  # one sentence: why refused, or what was done to it
    holdings: tuple[Holding, ...] = ()
    pictures: int = 0  # that are in the library now


@dataclass(frozen=True, slots=True)
class Import:
    """One import as last written. `order` is what was asked for, as `synth.intake` writes it."""

    id: str
    user: str
    order: dict[str, Any]
    state: ImportState
    started_at: datetime
    ended_at: datetime | None = None
    total: int | None = None  # files; None while they are being counted
    error: str = ""
    counts: Mapping[Outcome, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Files that are through, whatever became of them."""
        return sum(self.counts.values())


def joined(words: tuple[str, ...]) -> str:
    """("a", "b") as "|a|b|", so that a search for "|a|" meets whole words."""
    return f"|{'|'.join(words)}|" if words else ""


def parted(text: str) -> tuple[str, ...]:
    """The words of `joined`."""
    return tuple(word for word in text.split("|") if word)


def labels(image: RealImage) -> dict[str, Any]:
    """The columns that a person may edit, and what follows from them."""
    return {
        "modality": image.modality,
        "view": image.view,
        "body_part": image.body_part,
        "sex": image.sex,
        "age": image.age,
        "findings": joined(image.findings),
        "origin": image.origin,
        "licence": image.licence,
        "attribution": image.attribution,
        "note": image.note,
        "boxes": json.dumps([asdict(box) for box in image.boxes]),
        "mask": image.mask,
        "words": _words(image),
    }


def columns(holding: Holding) -> dict[str, Any]:
    """All columns of a new row but those that the store sets itself."""
    image = holding.image
    own = ("thumbnail", "patient", "study_uid", "series_uid", "instance_uid", "series_number", "instance_number")
    return {
        "id": image.id,
        "path": image.path,
        "kept": image.kept,
        "frame": image.frame,
        "pixel_hash": holding.pixel_hash or None,
        "original": holding.original,
        "rows": holding.rows,
        "columns": holding.columns,
        "flags": joined(holding.flags),
        "edited": False,
        "listed": True,
        "removed_at": None,
        **{name: getattr(holding, name) for name in own},
        **labels(image),
    }


def real_image(row: HoldingRow | Row[Any]) -> RealImage:
    """The image of a row, or of its columns."""
    return RealImage(
        id=row.id,
        path=row.path,
        modality=row.modality,
        view=row.view,
        sex=row.sex,
        age=row.age,
        findings=parted(row.findings),
        origin=row.origin,
        licence=row.licence,
        body_part=row.body_part,
        attribution=row.attribution,
        note=row.note,
        boxes=tuple(Box(**box) for box in json.loads(row.boxes)) if row.boxes != "[]" else (),
        mask=row.mask,
        kept=row.kept,
        frame=row.frame,
        removed=row.removed_at is not None or not row.listed,
    )


def holding(row: HoldingRow) -> Holding:
    """The row with what is kept beside the labels."""
    own = ("thumbnail", "patient", "study_uid", "series_uid", "instance_uid", "series_number", "instance_number")
    return Holding(
        real_image(row),
        pixel_hash=row.pixel_hash or "",
        original=row.original,
        rows=row.rows,
        columns=row.columns,
        flags=parted(row.flags),
        import_id=row.import_id,
        added_at=row.added_at,
        **{name: getattr(row, name) for name in own},
    )


def imported(row: ImportRow, counts: Mapping[Outcome, int]) -> Import:
    """The import of a row."""
    state, order = ImportState(row.state), json.loads(row.order)
    return Import(row.id, row.user, order, state, row.started_at, row.ended_at, row.total, row.error, counts)


def _words(image: RealImage) -> str:
    """What a search for text looks through. Terms stand with their names, as people do not type codes."""
    names = (VOCABULARY[code].name if code in VOCABULARY else code.replace("_", " ") for code in image.findings)
    boxed = (box.code.replace("_", " ") for box in image.boxes)
    plain = (image.modality, image.view, image.body_part, image.origin, image.licence, image.note, image.path)
    return " ".join(part for part in (*plain, *names, *boxed) if part).lower()

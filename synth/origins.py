"""Where images come from: how one was made, which real one it is, who did what with it, and under which licence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

UNKNOWN = "unknown"  # the licence that a card does not name


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an image came from; written once, never edited."""

    request_digest: str
    model_id: str
    model_revision: str
    weights_hash: str
    sampler: str
    seed: int
    device: str
    dtype: str
    versions: dict[str, str]  # package -> version
    created_at: datetime  # UTC
    requested_by: str
    seconds: float  # wall time of the batch that made it
    batch: int = 1  # images drawn together: kernels differ with it, so a replay bit for bit needs the same
    watermark_key: str = ""  # id of the key under which it is marked; empty: not marked when it was made


@dataclass(frozen=True, slots=True)
class Box:
    """Where a finding lies on a picture: left, top, width and height as fractions of its sides, 0-1."""

    code: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class RealImage:
    """One real image of the library. `pixels` are loaded on demand by `synth.library`."""

    id: str
    path: str  # inside the library folder; empty where the library keeps the file itself
    modality: str
    view: str | None
    sex: str | None
    age: int | None
    findings: tuple[str, ...]  # codes of synth.findings; ("normal",) where a reader called it normal
    origin: str
    licence: str
    body_part: str = ""
    attribution: str = ""  # how its publisher wants to be cited
    note: str = ""  # of a teacher
    boxes: tuple[Box, ...] = ()
    mask: str = ""  # sha256 of a stored picture, white where the findings lie
    kept: str = ""  # name of the de-identified file in the store
    frame: int = 1  # of the kept file
    removed: bool = False


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One row of the audit trail: who did what to which subject, when (UTC) and why."""

    at: datetime
    who: str
    action: str
    subject: str
    reason: str
    detail: dict[str, Any] = field(default_factory=dict)  # model, seed, digest: never free text of a prompt


@dataclass(frozen=True, slots=True)
class Licence:
    """The terms of one revision of somebody else's model, which must be accepted before it is used."""

    model_id: str
    revision: str  # commit of the hub, else the hash of the weights
    name: str  # as its card names it, or UNKNOWN
    link: str = ""
    limits: str = ""  # what its card says that it cannot do

    def digest(self) -> str:
        """sha256 (hex) of model, revision and name: what an acceptance is for, and no other."""
        return hashlib.sha256("\n".join((self.model_id, self.revision, self.name)).encode()).hexdigest()

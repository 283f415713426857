"""What becomes of one file at the door of the library: the file to keep, de-identified, and its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class Retain(StrEnum):
    """Options of the basic profile that keep something (PS3.15 Annex E.3); without any the profile is the strictest."""

    PATIENT_CHARACTERISTICS = "patient_characteristics"  # E.3.7: sex, age (89 at most), size, weight
    DEVICE_IDENTITY = "device_identity"  # E.3.8
    INSTITUTION_IDENTITY = "institution_identity"  # E.3.11
    UIDS = "uids"  # E.3.9
    FULL_DATES = "full_dates"  # E.3.6; without it dates are shifted, intervals of one patient stay
    SAFE_PRIVATE = "safe_private"  # E.3.10


class BurntIn(StrEnum):
    """What to do where text seems to be burnt into the pixels."""

    BLACK_OUT = "black_out"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Rules:
    """How files are de-identified. `key` is the secret of this installation: the same key maps the same way."""

    key: bytes = field(repr=False)
    retain: frozenset[Retain] = frozenset({Retain.PATIENT_CHARACTERISTICS})
    burnt_in: BurntIn = BurntIn.BLACK_OUT
    refuse_faces: bool = False  # head CT and MR from which a face could be rendered; else they are flagged


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture of a kept file. Identifiers are those after de-identification, empty where there are none."""

    frame: int  # from 1
    pixel_hash: str  # sha256 (hex) of shape, type and stored values: the same picture in any file
    thumbnail: npt.NDArray[np.uint8]  # (h, w), at most 256 px on the longer side, as shown by default, without mark
    rows: int
    columns: int
    modality: str = ""  # DX, CT, MR, PT, ... as `synth.library.labels.modality` names them; "" where unknown
    view: str | None = None
    body_part: str = ""
    sex: str | None = None
    age: int | None = None  # years
    patient: str = ""  # pseudonym
    study_uid: str = ""
    series_uid: str = ""
    instance_uid: str = ""
    series_number: int | None = None
    instance_number: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A file that may enter the library: `data` is what is kept, de-identified; `done` says what was done to it."""

    data: bytes
    suffix: str  # ".dcm" or ".png"
    pictures: tuple[Picture, ...]
    done: tuple[str, ...] = ()  # sentences for the report and the audit trail, without identifiers
    codes: tuple[str, ...] = ()  # De-identification Method codes (PS3.16 CID 7050), as "113100"
    flags: tuple[str, ...] = ()  # "face", "burnt_in": what somebody should look at
    original: str = ""  # keyed hash (hex) of the SOP Instance UID that the file came with, "" without one

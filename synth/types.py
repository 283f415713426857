"""The central values of SynthRead: frozen, checked when made, free of torch and of the screen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import RequestError
from synth.origins import AuditEvent as AuditEvent
from synth.origins import Box as Box
from synth.origins import Provenance as Provenance
from synth.origins import RealImage as RealImage
from synth.terms import JobState as JobState
from synth.terms import Modality as Modality
from synth.terms import Severity as Severity
from synth.terms import Sex as Sex
from synth.terms import Side as Side
from synth.terms import View as View
from synth.terms import Zone as Zone

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
SEED_MAX = 2**32 - 1
STEPS_MAX = 200
COUNT_MAX = 8
NOTE_MAX = 500
SIZES_PX = (256, 512)
SAMPLERS = ("ddpm", "dpmpp_2m", "euler", "heun")
EDIT_MODES = ("add", "remove", "variation", "translate", "restore")
RESTORATIONS = ("low_light", "gaussian", "poisson", "blur", "enlarge_2", "enlarge_4", "stripes", "blocks")
NOISE_MAX = 100.0  # grey levels
BLUR_MAX_PX = 5.0
MARGIN_MAX_PX = 64
MARGIN_PX = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: a code of `synth.findings`, where it lies and how marked it is."""

    code: str
    side: Side | None = None
    zone: Zone | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Restoration:
    """Which damage is to be undone, and what is known of it; what is not stated is estimated from the picture."""

    kind: str  # one of RESTORATIONS
    group: str = ""  # modality and body part as the table of results names them, "MG breast"; empty: another
    noise: float | None = None  # standard deviation in grey levels of 255; of a white pixel where counts are noisy
    blur_px: float = 1.5  # standard deviation of the blur

    def __post_init__(self) -> None:
        if self.kind not in RESTORATIONS:
            raise RequestError(f"Damage is {self.kind!r}; it must be one of {', '.join(RESTORATIONS)}.")
        _in_range("Noise", self.noise, 0.0, NOISE_MAX, "grey levels")
        _in_range("Blur", self.blur_px, 0.0, BLUR_MAX_PX, "px")


@dataclass(frozen=True, slots=True)
class Edit:
    """What to change in a base image. Pictures and masks are named by the sha256 of their stored blobs."""

    mode: str  # add a finding, remove a lesion, vary, translate into another modality, or restore the picture
    base: str
    origin: str  # of the base: "synthetic", "altered", "real" or "upload", a colon and its id
    lesion: str | None = None  # the drawn area: needed to add or remove; of a restoration what is lost, if drawn
    keep: str | None = None  # where nothing may change
    margin_px: int = MARGIN_PX  # the edit mask is the lesion mask grown by this, so that the finding can blend
    strength: float = 1.0  # of a variation: share of the steps, (0, 1]
    source: str | None = None  # of a translation: the modality of the base; that of the request is the target
    close_up: tuple[int, int, int] | None = None  # top, left, side in px of the square that is drawn magnified
    stage: str = ""  # of an imagined course, as "day 3" or "mild"; empty for an edit of its own
    restoration: Restoration | None = None  # of a restoration

    @property
    def base_mark(self) -> str:
        """What is burnt into the base image wherever it is shown."""
        return {"synthetic": "SYNTHETIC", "real": "REAL"}.get(self.origin.partition(":")[0], "ALTERED")

    def __post_init__(self) -> None:
        _in_range("Margin", self.margin_px, 0, MARGIN_MAX_PX, "px")
        if not 0.0 < self.strength <= 1.0:
            raise RequestError(f"Strength is {self.strength}; it must lie above 0 and at most at 1.")
        if self.mode not in EDIT_MODES:
            raise RequestError(f"Edit mode is {self.mode!r}; it must be one of {', '.join(EDIT_MODES)}.")
        if (self.mode == "restore") != (self.restoration is not None):
            raise RequestError("A restoration must say which damage is to be undone, and only it may.")
        if self.close_up and (self.mode != "add" or min(self.close_up) < 0 or not self.close_up[2]):
            raise RequestError(f"A close-up of {self.close_up} px is not one in which a finding could be added.")
        if self.lesion is None and self.mode in ("add", "remove"):
            raise RequestError(f"To {self.mode} a lesion its area must be drawn.")


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The pictures that an `Edit` names, loaded: (H, W) uint8, and areas (H, W) bool, True inside.

    Square and of the request's size, but for a restoration: that takes any size.
    """

    pixels: npt.NDArray[np.uint8]
    lesion: npt.NDArray[np.bool_] | None = None
    keep: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One image to be made. Equal requests give equal images on the same device."""

    modality: Modality = Modality.DX
    view: View | None = View.PA
    sex: Sex | None = None
    age: int | None = None  # years, 0-120
    findings: tuple[Finding, ...] = ()  # empty: normal
    absent: tuple[str, ...] = ()  # finding codes that the prompt negates
    note: str = ""  # the prompt as typed, after the identifier guard
    size_px: int = 256
    seed: int = 0
    steps: int = 20
    guidance: float = 2.0
    sampler: str = "ddpm"  # fresh noise at every step mends the errors of a network of short training
    model_id: str = "synthread-256"
    edit: Edit | None = None
    lung_window: bool = True  # CT: grey 0-255 stands for -1350 to +150 HU; False where the base had another window

    def __post_init__(self) -> None:
        _in_range("Age", self.age, 0, 120, "years")
        _in_range("Seed", self.seed, 0, SEED_MAX)
        _in_range("Steps", self.steps, 1, STEPS_MAX)
        _in_range("Guidance", self.guidance, 0.0, 15.0)
        if self.size_px not in SIZES_PX:
            raise RequestError(f"Size is {self.size_px} px; it must be one of {', '.join(map(str, SIZES_PX))}.")
        if self.sampler not in SAMPLERS:
            raise RequestError(f"Sampler is {self.sampler!r}; it must be one of {', '.join(SAMPLERS)}.")
        if len(self.note) > NOTE_MAX:
            raise RequestError(f"The prompt has {len(self.note)} characters; at most {NOTE_MAX} are read.")

    @property
    def mark(self) -> str:
        """What is burnt into the image: an edit of anything but a synthetic image stays an altered one for ever."""
        drawn = self.edit is None or self.edit.origin.startswith("synthetic:")
        return "SYNTHETIC" if drawn else "ALTERED"

    def canonical_json(self) -> str:
        """The request as JSON with sorted keys and no spaces (RFC 8785 for these value types)."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def digest(self) -> str:
        """sha256 (hex) of the canonical JSON."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> GenerationRequest:
        """The request back from `canonical_json`. Raises RequestError on unknown fields or bad values."""
        try:
            data: dict[str, Any] = json.loads(text)
            unknown = set(data) - {f.name for f in fields(cls)}
            if unknown:
                raise RequestError(f"The stored request has unknown fields: {', '.join(sorted(unknown))}.")
            data["modality"] = Modality(data["modality"])
            data["view"] = View(data["view"]) if data.get("view") else None
            data["sex"] = Sex(data["sex"]) if data.get("sex") else None
            data["findings"] = tuple(_finding(f) for f in data.get("findings", ()))
            data["absent"] = tuple(data.get("absent", ()))
            data["edit"] = _edit(data["edit"]) if data.get("edit") else None
            return cls(**data)
        except (ValueError, KeyError, TypeError) as error:
            raise RequestError(f"The stored request cannot be read: {error}.") from error


def _edit(data: dict[str, Any]) -> Edit:
    asked, square = data.get("restoration"), data.get("close_up")
    return Edit(
        **data | {"restoration": Restoration(**asked) if asked else None, "close_up": tuple(square) if square else None}
    )


def _finding(data: dict[str, Any]) -> Finding:
    return Finding(
        code=data["code"],
        side=Side(data["side"]) if data.get("side") else None,
        zone=Zone(data["zone"]) if data.get("zone") else None,
        severity=Severity(data["severity"]) if data.get("severity") else None,
    )


def _in_range(name: str, value: float | None, low: float, high: float, unit: str = "") -> None:
    if value is not None and not low <= value <= high:
        raise RequestError(f"{name} is {value}; it must lie between {low} and {high}{' ' + unit if unit else ''}.")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is: data, not behaviour. `files` maps file name to sha256 (hex)."""

    id: str
    title: str
    revision: str
    files: dict[str, str]
    licence: str
    training_data: str
    native_px: int
    intended_use: str
    limits: str
    text_findings: tuple[str, ...] = ()  # codes learnt from text alone
    drawn_findings: tuple[str, ...] = ()  # codes learnt only with a drawn or zone mask
    training_counts: dict[str, int] = field(default_factory=dict)  # finding code -> real training images
    modalities: tuple[str, ...] = ("DX", "CT")

    def weights_hash(self) -> str:
        """sha256 (hex) over the sorted file hashes: one name for the whole set of weights."""
        joined = "\n".join(f"{name} {digest}" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(joined.encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of a sampler. `preview` is the current estimate of the image, (B, H, W) uint8, or None."""

    index: int
    total: int
    sigma: float
    preview: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One measured property of a finished image."""

    name: str
    value: float
    low: float
    high: float
    picture: str | None = None  # sha256 of the stored picture that shows it

    @property
    def passed(self) -> bool:
        """True when the value lies in [low, high]."""
        return self.low <= self.value <= self.high


@dataclass(frozen=True, slots=True)
class QualityReport:
    """All checks of one image; failed ones are shown, not hidden."""

    checks: tuple[QualityCheck, ...] = ()

    @property
    def passed(self) -> bool:
        """True when every check passed."""
        return all(check.passed for check in self.checks)


@dataclass(frozen=True, slots=True, eq=False)
class GeneratedImage:
    """A synthetic image with its provenance. `pixels` is (H, W), uint8 or uint16, copied and read-only."""

    id: str
    pixels: Pixels
    request: GenerationRequest
    provenance: Provenance
    quality: QualityReport = field(default_factory=QualityReport)
    pictures: dict[str, Pixels] = field(default_factory=dict)  # of checks by name, until the store keeps them

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"pixels must be (H, W) uint8 or uint16, not {self.pixels.shape} {self.pixels.dtype}")
        own = self.pixels.copy()
        own.flags.writeable = False
        object.__setattr__(self, "pixels", own)


@dataclass(frozen=True, slots=True)
class Job:
    """Immutable snapshot of one request in the engine; the engine replaces it whole."""

    id: str
    request: GenerationRequest
    user: str
    state: JobState
    position: int = 0  # jobs ahead of it; 0 when running or ended
    step: int = 0
    total: int = 0
    preview: npt.NDArray[np.uint8] | None = field(default=None, compare=False)  # (H, W)
    image_id: str | None = None
    error: str | None = None  # one sentence

    def event(self, action: str, at: datetime) -> AuditEvent:
        """Who asked for what, without a word of the prompt."""
        detail = {"model": self.request.model_id, "seed": self.request.seed, "digest": self.request.digest()}
        return AuditEvent(at, self.user, action, self.id, "", detail)

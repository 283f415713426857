"""What is kept of a case before anybody reads it: how it is made, what is known of it, and which tasks it can serve."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from synth.errors import RequestError
from synth.reading.answers import UNREADABLE, Task, canonical, finding_from, known
from synth.reading.items import Truth
from synth.reading.shapes import Point, finite
from synth.types import SEED_MAX, Finding, GenerationRequest

CORNERS_MAX = 256  # of a lesion's outline
WORDS_MAX = 1000  # characters of a history or a teaching point
TITLE_MAX = 80


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a synthetic case is made: an image from a request, and perhaps a lesion drawn into it. No pixels.

    `outline` holds the corners (x, y) of the lesion as shares of the side, [0, 1]; empty: the request's own image is
    the case. With it `finding` is drawn there under `seed`, and the image of `request` is what it was before.
    """

    request: GenerationRequest
    outline: tuple[Point, ...] = ()
    finding: Finding | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.request.edit is not None:
            raise RequestError("A recipe begins with an image from text, not with an edit.")
        if bool(self.outline) != (self.finding is not None):
            raise RequestError("A recipe draws a finding in an outline: it needs both, or neither.")
        if self.finding is not None:
            known(self.finding.code)
        if self.outline and not 3 <= len(self.outline) <= CORNERS_MAX:
            raise RequestError(f"The outline has {len(self.outline)} corners; it needs 3 to {CORNERS_MAX}.")
        if not finite(self.outline) or not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in self.outline):
            raise RequestError("The outline leaves the picture; its corners are shares of the side from 0 to 1.")
        if not 0 <= self.seed <= SEED_MAX:
            raise RequestError(f"Seed is {self.seed}; it must lie between 0 and {SEED_MAX}.")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the finished case shows; empty: normal."""
        return (*self.request.findings, *([self.finding] if self.finding else []))

    def to_json(self) -> str:
        """The recipe as JSON with sorted keys and no spaces."""
        return canonical(
            {
                "request": json.loads(self.request.canonical_json()),
                "outline": self.outline,
                "finding": None if self.finding is None else asdict(self.finding),
                "seed": self.seed,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """The recipe back from `to_json`. Raises RequestError on unknown fields or bad values."""
        try:
            data: dict[str, Any] = dict(json.loads(text))
            request = GenerationRequest.from_json(json.dumps(data.pop("request")))
            outline = tuple((float(x), float(y)) for x, y in data.pop("outline", ()))
            finding = data.pop("finding", None)
            return cls(request, outline, finding_from(finding) if finding else None, **data)
        except UNREADABLE as error:
            raise RequestError(f"The stored recipe cannot be read: {error}.") from error


class Standing(StrEnum):
    """Where an entry of a case set stands on its way to the trainees."""

    WAITING = "waiting"  # its image is not drawn yet
    PROPOSED = "proposed"  # drawn, and not yet looked at
    APPROVED = "approved"
    REFUSED = "refused"  # looked at and left out
    FAILED = "failed"  # could not be drawn
    WITHDRAWN = "withdrawn"  # its image, or the one that it was made of, was withdrawn


@dataclass(frozen=True, slots=True)
class Entry:
    """One case of a set: a synthetic one by its recipe, or a real one by its id in the library; never both.

    `job` is the job (and so the image) that is the case, `base_job` that of the image before the lesion was drawn.
    """

    id: str
    recipe: Recipe | None = None
    real: str = ""
    standing: Standing = Standing.WAITING
    job: str = ""
    base_job: str = ""
    history: str = ""  # shown with the case
    teaching: str = ""  # shown at the reveal
    problem: str = ""  # one sentence, why it could not be drawn

    def __post_init__(self) -> None:
        if (self.recipe is None) is not bool(self.real):
            raise RequestError("A case of a set is a synthetic or a real one; name a recipe or a library image.")
        for name, text in (("history", self.history), ("teaching point", self.teaching)):
            if len(text) > WORDS_MAX:
                raise RequestError(f"The {name} has {len(text)} characters; at most {WORDS_MAX} are kept.")


@dataclass(frozen=True, slots=True)
class CaseSet:
    """A set of cases under a title, in order; whoever has its `code` can read it once `open` is set."""

    id: str
    code: str
    title: str
    owner: str
    entries: tuple[Entry, ...] = ()
    open: bool = False

    def __post_init__(self) -> None:
        if not self.title.strip() or len(self.title) > TITLE_MAX:
            raise RequestError(f"The title has {len(self.title.strip())} characters; it needs 1 to {TITLE_MAX}.")

    @property
    def approved(self) -> tuple[Entry, ...]:
        """The entries that trainees meet, in order."""
        return tuple(entry for entry in self.entries if entry.standing is Standing.APPROVED)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One case that can be read: its pictures by source, the truth in px of them, and the tasks that it can serve.

    A source is "synthetic:<image id>" or "real:<library id>". `same` names what must not come twice in an exam: the
    image from which the case was made.
    """

    id: str
    sources: tuple[str, ...]
    truth: Truth
    tasks: tuple[Task, ...]
    same: str
    modality: str  # DICOM code
    history: str = ""
    teaching: str = ""

    def asked(self, tasks: tuple[Task, ...]) -> Case:
        """The same case for those of `tasks` that it can serve."""
        return replace(self, tasks=tuple(task for task in tasks if task in self.tasks))

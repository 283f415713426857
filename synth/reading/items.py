"""One case to be read: a task, its pictures and the truth; both as JSON that a store can keep."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import RequestError
from synth.reading.answers import (
    PICTURES_MAX,
    UNREADABLE,
    Answer,
    Change,
    ChangesSeen,
    Direction,
    FindingsChosen,
    Place,
    SeverityOrder,
    Task,
    canonical,
    finding_from,
    known,
    task_of,
)
from synth.reading.shapes import Area, Box, from_runs, to_runs
from synth.types import Finding

Boxes = npt.NDArray[np.float64]  # (N, 4): left, top, right, bottom in px

_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
_WORDS = re.compile(r"real|synth|normal|fake", re.IGNORECASE)  # an id must not tell the truth


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is so: from request and mask of a checked synthetic case, or from labels and boxes of a real one.

    Empty `findings`: normal. `area` and `boxes` are in px of the picture as shown, copied and read-only; no lesion is
    None or empty. `severities` holds one rank a picture (higher is worse, equal ranks are ties). `changes` are those
    of the second picture against the first.
    """

    findings: tuple[Finding, ...] = ()
    synthetic: bool | None = None  # None: not asked, or mixed
    area: Area | None = None  # (H, W) bool, True in the lesion
    boxes: Boxes | None = None  # (N, 4)
    severities: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        for finding in self.findings:
            known(finding.code)
        if self.area is not None:
            object.__setattr__(self, "area", _own(np.asarray(self.area, bool)))
            if self.area.ndim != 2:
                raise RequestError(f"The lesion mask has {self.area.ndim} axes; it must be one picture of two axes.")
        if self.boxes is not None:
            object.__setattr__(self, "boxes", _own(np.asarray(self.boxes, np.float64).reshape(-1, 4)))
            flat = (self.boxes[:, 2] <= self.boxes[:, 0]) | (self.boxes[:, 3] <= self.boxes[:, 1])
            if not np.isfinite(self.boxes).all() or flat.any():
                raise RequestError("A lesion box has no extent; it must be left, top, right, bottom in px.")

    @property
    def normal(self) -> bool:
        """True when nothing is to be found."""
        return not self.findings

    @property
    def codes(self) -> tuple[str, ...]:
        """The finding codes, each once, in their order."""
        return tuple(dict.fromkeys(finding.code for finding in self.findings))

    @property
    def named(self) -> tuple[str, ...]:
        """The codes of findings and of changes, each once, in their order."""
        return tuple(dict.fromkeys((*self.codes, *(change.code for change in self.changes))))

    @property
    def placed(self) -> bool:
        """True when a mask or a box shows where the lesion is."""
        return bool(self.area is not None and self.area.any()) or bool(self.boxes is not None and len(self.boxes))

    def box_list(self) -> list[Box]:
        """The boxes as (left, top, right, bottom) in px."""
        return [] if self.boxes is None else [(a, b, c, d) for a, b, c, d in self.boxes.tolist()]

    def data(self) -> dict[str, Any]:
        """The truth as JSON values; the mask as run lengths."""
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "synthetic": self.synthetic,
            "area": None if self.area is None else to_runs(self.area),
            "boxes": None if self.boxes is None else self.boxes.tolist(),
            "severities": list(self.severities),
            "changes": [asdict(change) for change in self.changes],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One case to be read. `id` is opaque; `pictures` are ids of the store; `options` the codes that are offered.

    FINDINGS, REPORT and CHANGE are judged within `options`; empty: the whole vocabulary.
    """

    id: str
    task: Task
    pictures: tuple[str, ...]
    truth: Truth
    options: tuple[str, ...] = ()
    case: str = ""  # what must not come twice in an exam, as one patient or one base image; empty: the pictures

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or _WORDS.search(self.id):
            raise RequestError(f"The item id {self.id!r} is not opaque; it must be 8 to 64 letters and digits.")
        if not all(self.pictures):
            raise RequestError("A picture of the item has no id; name it by its id in the store.")
        for code in self.options:
            known(code)
        outside = [code for code in self.truth.named if self.options and code not in self.options]
        if outside:
            raise RequestError(f"The truth names {', '.join(outside)}, which the options do not offer; add it to them.")
        _fits_task(self)

    @property
    def same_case(self) -> str:
        """What tells two items of one case: `case`, or the pictures."""
        return self.case or " ".join(sorted(self.pictures))

    def to_json(self) -> str:
        """The item as JSON with sorted keys and no spaces."""
        return canonical(
            {
                "id": self.id,
                "task": self.task,
                "pictures": self.pictures,
                "truth": self.truth.data(),
                "options": self.options,
                "case": self.case,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Item:
        """The item back from `to_json`. Raises RequestError on unknown fields or bad values."""
        try:
            data = dict(json.loads(text))
            return cls(
                id=data.pop("id"),
                task=Task(data.pop("task")),
                pictures=tuple(data.pop("pictures")),
                truth=_truth(data.pop("truth")),
                options=tuple(data.pop("options", ())),
                **data,
            )
        except UNREADABLE as error:
            raise RequestError(f"The stored item cannot be read: {error}.") from error


def opaque_id(*parts: str) -> str:
    """A name of 32 hex digits that tells nothing of what it names; the first part should be a secret of the set."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def check(item: Item, answer: Answer) -> None:
    """Raises RequestError, in one sentence, where `answer` cannot be one to `item`."""
    if task_of(answer) is not item.task:
        raise RequestError(f"The answer is one to {task_of(answer).value!r}; this case asks {item.task.value!r}.")
    if isinstance(answer, FindingsChosen):
        _offered(item, [finding.code for finding in answer.findings])
    elif isinstance(answer, ChangesSeen):
        _offered(item, [change.code for change in answer.changes])
    elif isinstance(answer, SeverityOrder) and len(answer.order) != len(item.pictures):
        raise RequestError(f"The order names {len(answer.order)} pictures; this case has {len(item.pictures)}.")
    elif isinstance(answer, Place) and item.truth.area is not None:
        height, width = item.truth.area.shape
        if (answer.width, answer.height) != (width, height):
            raise RequestError(
                f"The mark is made on a picture of {answer.width} x {answer.height} px; "
                f"this case is {width} x {height} px."
            )


def _offered(item: Item, codes: Sequence[str]) -> None:
    other = [code for code in codes if item.options and code not in item.options]
    if other:
        raise RequestError(f"{other[0]!r} is not offered in this case; choose among {', '.join(item.options)}.")


def _fits_task(item: Item) -> None:
    """Refuse an item whose pictures or truth cannot answer its task."""
    count, truth = len(item.pictures), item.truth
    low, high = {Task.CHANGE: (2, 2), Task.SEVERITY: (2, PICTURES_MAX)}.get(item.task, (1, 1))
    if not low <= count <= high:
        wanted = str(low) if low == high else f"{low} to {high}"
        raise RequestError(f"A case of {item.task.value!r} has {count} pictures; it needs {wanted}.")
    if item.task is Task.REAL_OR_SYNTHETIC and truth.synthetic is None:
        raise RequestError("A case of 'real_or_synthetic' does not say which it is; set synthetic to true or false.")
    if item.task is Task.WHERE and truth.findings and not truth.placed:
        raise RequestError("A case of 'where' names a finding but no place; give its mask or its boxes.")
    if item.task is Task.WHERE and truth.placed and not truth.findings:
        raise RequestError("A case of 'where' has a lesion mask or box but no finding; name the finding.")
    if item.task is Task.SEVERITY and (len(truth.severities) != count or len(set(truth.severities)) < 2):
        raise RequestError(
            f"A case of 'severity' has the ranks {list(truth.severities)} for {count} pictures; "
            "it needs one a picture and at least two that differ."
        )


def _truth(data: dict[str, Any]) -> Truth:
    area, boxes = data.pop("area", None), data.pop("boxes", None)
    return Truth(
        findings=tuple(finding_from(row) for row in data.pop("findings", ())),
        area=None if area is None else from_runs(area),
        boxes=None if boxes is None else np.asarray(boxes, np.float64),
        severities=tuple(int(rank) for rank in data.pop("severities", ())),
        changes=tuple(Change(row["code"], Direction(row["direction"])) for row in data.pop("changes", ())),
        **data,
    )


def _own(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy that nobody can write to."""
    own = values.copy()
    own.flags.writeable = False
    return own

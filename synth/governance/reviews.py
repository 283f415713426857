"""What a radiologist says of an image, and what becomes of it by one reader, by two, or by adjudication. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from synth.errors import RequestError
from synth.findings import term
from synth.governance.release import Fitness
from synth.types import Finding, Side

Point = tuple[float, float]  # x to the right and y down, as shares of the side
REALISM = (1, 5)  # surely synthetic to as a real one
REALISM_MIN = 3  # below, an image is not plausible
COMMENT_MAX = 1000  # characters
SIGNATURE = "Clinically plausible, findings as stated, fit for what is named."
_UNREADABLE = (ValueError, KeyError, TypeError)


class Presence(StrEnum):
    """Whether a finding that was asked for is there."""

    YES = "yes"
    NO = "no"
    UNCERTAIN = "uncertain"


class Artefact(StrEnum):
    """What can be wrong with an image apart from its findings, in words."""

    GRID = "grid texture"
    RIBS = "blurred ribs"
    CONTOUR = "doubled contour"
    SIDE = "wrong side"
    ANATOMY = "impossible anatomy"
    LETTERS = "letters"
    SEAM = "seam at the edit"
    OTHER = "other"


BARRING = frozenset({Artefact.SIDE, Artefact.ANATOMY})  # with one of these an image is not clinically plausible


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding that was asked for. `place` is empty, a point, or two opposite corners of a box."""

    code: str
    present: Presence
    place: tuple[Point, ...] = ()

    def __post_init__(self) -> None:
        term(self.code)
        if len(self.place) > 2 or not all(0.0 <= share <= 1.0 for point in self.place for share in point):
            raise RequestError("A place is a point or a box inside the image.")

    def is_as(self, asked: Finding) -> bool:
        """Whether it is there, and not on the other side: the patient's right lies left."""
        if self.present is not Presence.YES or not self.place or asked.side not in (Side.LEFT, Side.RIGHT):
            return self.present is Presence.YES
        middle = sum(x for x, _ in self.place) / len(self.place)
        return (middle > 0.5) == (asked.side is Side.LEFT)


@dataclass(frozen=True, slots=True)
class Review:
    """One judgement, signed by its reader. It holds for the image, and so for this revision of the model alone."""

    image: str
    reader: str
    at: datetime  # UTC
    model: str  # id
    revision: str
    realism: int  # 1 to 5
    judged: tuple[Judged, ...] = ()  # one for each finding that was asked for, in their order
    others: tuple[str, ...] = ()  # codes of findings that nobody asked for
    artefacts: frozenset[Artefact] = frozenset()
    fit: frozenset[Fitness] = frozenset()
    comment: str = ""
    blind: bool = True  # what was asked for was hidden until this was said
    seconds: float = 0.0  # spent
    adjudicates: bool = False  # between two readers who disagree

    def __post_init__(self) -> None:
        if not REALISM[0] <= self.realism <= REALISM[1]:
            raise RequestError(f"Realism is {self.realism}; it must lie between {REALISM[0]} and {REALISM[1]}.")
        if len(self.comment) > COMMENT_MAX:
            raise RequestError(f"The comment has {len(self.comment)} characters; at most {COMMENT_MAX} are kept.")
        for code in self.others:
            term(code)

    def stands(self, asked: Sequence[Finding]) -> bool:
        """Whether the reader signs the image: plausible, its findings as stated and no others, fit for something."""
        as_stated = all(judged.is_as(finding) for judged, finding in zip(self.judged, asked, strict=True))
        plausible = self.realism >= REALISM_MIN and not self.artefacts & BARRING
        return as_stated and not self.others and plausible and bool(self.fit)

    def to_json(self) -> str:
        """What was said, without who and when and of what, as JSON with sorted keys."""
        said = asdict(self) | {"artefacts": sorted(self.artefacts), "fit": sorted(self.fit)}
        outside = ("image", "reader", "at", "model", "revision", "adjudicates")
        return json.dumps({key: said[key] for key in said if key not in outside}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, **outside: Any) -> Review:
        """The review back from `to_json` and what it leaves out. Raises RequestError where it cannot be read."""
        try:
            said: dict[str, Any] = dict(json.loads(text)) | outside
            said["judged"] = tuple(
                Judged(one["code"], Presence(one["present"]), tuple((x, y) for x, y in one["place"]))
                for one in said["judged"]
            )
            said["artefacts"] = frozenset(map(Artefact, said["artefacts"]))
            return cls(**said | {"others": tuple(said["others"]), "fit": frozenset(map(Fitness, said["fit"]))})
        except _UNREADABLE as error:
            raise RequestError(f"The stored review cannot be read: {error}.") from error


def require_review(review: Review, asked: Sequence[Finding], guard: Callable[[str], None]) -> None:
    """Pass a review that speaks of every finding asked for; RequestError. `guard` refuses a comment on a person."""
    if [judged.code for judged in review.judged] != [finding.code for finding in asked]:
        raise RequestError("The review must say of each finding asked for, and of no other, whether it is there.")
    guard(review.comment)


def said_blind(
    asked: Sequence[Finding], seen: Iterable[str], unsure: Iterable[str], places: dict[str, tuple[Point, ...]]
) -> tuple[tuple[Judged, ...], tuple[str, ...]]:
    """What a reader who did not know the request says of it: the findings asked for, and the others he saw."""
    seen, unsure = tuple(seen), frozenset(unsure)
    present = dict.fromkeys(unsure, Presence.UNCERTAIN) | dict.fromkeys(seen, Presence.YES)
    judged = tuple(Judged(f.code, present.get(f.code, Presence.NO), places.get(f.code, ())) for f in asked)
    return judged, tuple(code for code in seen if code not in {finding.code for finding in asked})


class Verdict(StrEnum):
    """What the reviews of an image come to."""

    OPEN = "waits for a reader"
    SECOND = "waits for a second reader"
    DISPUTED = "waits for adjudication"
    PASSED = "validated"
    FAILED = "not validated"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict, and what the image is fit for: None until there is a final one."""

    verdict: Verdict
    fit: frozenset[Fitness] | None = None


def outcome(reviews: Sequence[Review], asked: Sequence[Finding], two_readers: bool) -> Outcome:
    """What the reviews of one image, the oldest first, come to.

    One reader decides alone; two must agree on whether it stands and share something it is fit for, or a third
    adjudicates. A review beyond those changes nothing.
    """
    adjudicated = next((review for review in reviews if review.adjudicates), None)
    needed = 2 if two_readers else 1
    readers = [review for review in reviews if not review.adjudicates][:needed]
    if adjudicated is None and len(readers) < needed:
        return Outcome(Verdict.SECOND if readers else Verdict.OPEN)
    deciding = [adjudicated] if adjudicated else readers
    stands = {review.stands(asked) for review in deciding}
    fit = frozenset.intersection(*(review.fit for review in deciding))
    if stands == {True} and fit:
        return Outcome(Verdict.PASSED, fit)
    if stands == {False}:
        return Outcome(Verdict.FAILED, frozenset())
    return Outcome(Verdict.DISPUTED)


def pairs(reviews: Iterable[Review]) -> list[tuple[Review, Review]]:
    """The first two independent reviews of each image that has two, the oldest first."""
    of_image: dict[str, list[Review]] = {}
    for review in reviews:
        if not review.adjudicates:
            of_image.setdefault(review.image, []).append(review)
    return [(both[0], both[1]) for both in of_image.values() if len(both) > 1]

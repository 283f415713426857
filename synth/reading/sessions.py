"""A sitting of one reader: what was planned, what was dealt, what was answered, and how much time is left. Pure."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from synth.errors import RequestError
from synth.reading.answers import UNREADABLE, Answer, Shape, Task, canonical
from synth.reading.grading import Grade
from synth.reading.items import Item
from synth.types import SEED_MAX

LENGTH_MAX = 200  # cases of one session
LIMIT_MAX_S = 4 * 3600.0
SECONDS_MAX = 1800.0  # of one answer: beyond, the reader was away
NAME_MAX = 40


class Mode(StrEnum):
    """How cases are dealt, and when the truth is shown."""

    PRACTICE = "practice"  # the next case by skill, the truth after each
    SPACED = "spaced"  # as practice, of findings that are due
    DAILY = "daily"  # ten a day, the same all day
    EXAM = "exam"  # dealt beforehand, the truth at the end
    STUDY = "study"  # dealt beforehand, no truth


ADAPTIVE = (Mode.PRACTICE, Mode.SPACED)
TOLD_AT_ONCE = (Mode.PRACTICE, Mode.SPACED, Mode.DAILY)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session asks of its reader. `source` is where its cases come from: a set's id, or "" for the room's."""

    mode: Mode
    tasks: tuple[Task, ...]
    source: str = ""
    length: int = 10
    normal_share: float = 0.5
    seed: int = 0  # of chance; 0 in practice or an exam on a set: its own order
    limit_s: float | None = None  # of the whole session
    back: bool = False  # may go back and change an answer
    shape: Shape = Shape.BOX  # of a place
    rated: bool = False  # a confidence is asked with each answer
    opinion: bool = False  # after answering, the classifier's opinion is shown and the answer may be changed once
    study: str = ""  # id of the study
    phase: int = 0  # of the study, from 0

    def __post_init__(self) -> None:
        if not self.tasks:
            raise RequestError("No task is chosen; choose at least one.")
        if not 1 <= self.length <= LENGTH_MAX:
            raise RequestError(f"The number of cases is {self.length}; it must lie between 1 and {LENGTH_MAX}.")
        if not 0.0 <= self.normal_share <= 1.0:
            raise RequestError(f"The share of normals is {self.normal_share}; it must lie between 0 and 1.")
        if not 0 <= self.seed <= SEED_MAX:
            raise RequestError(f"Seed is {self.seed}; it must lie between 0 and {SEED_MAX}.")
        if self.limit_s is not None and not 10.0 <= self.limit_s <= LIMIT_MAX_S:
            raise RequestError(f"The time is {self.limit_s:.0f} s; it must lie between 10 and {LIMIT_MAX_S:.0f} s.")
        if self.shape is Shape.NONE:
            raise RequestError("A place is shown by a point, a box or an outline.")
        if self.back and self.mode is not Mode.EXAM:
            raise RequestError("Only an exam lets its reader go back.")

    @property
    def in_order(self) -> bool:
        """True where every case of a set comes once, as its educator has put them."""
        return bool(self.source) and self.seed == 0 and self.mode in (Mode.PRACTICE, Mode.EXAM)

    @property
    def adaptive(self) -> bool:
        """True where the next case depends on the answers before it."""
        return self.mode in ADAPTIVE and not self.in_order

    def to_json(self) -> str:
        """The plan as JSON with sorted keys and no spaces."""
        return canonical(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan back from `to_json`. Raises RequestError on unknown fields or bad values."""
        try:
            data: dict[str, Any] = dict(json.loads(text))
            data |= {"mode": Mode(data["mode"]), "tasks": tuple(Task(task) for task in data["tasks"])}
            return cls(**data | {"shape": Shape(data["shape"])})
        except UNREADABLE as error:
            raise RequestError(f"The stored plan cannot be read: {error}.") from error


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer that counts, its grade, and how long it took; `revised` is the one after a second opinion."""

    position: int
    answer: Answer
    grade: Grade
    seconds: float
    at: datetime  # UTC
    opinion: str = ""  # JSON of what the classifier said, once it was shown
    revised: Answer | None = None
    revised_grade: Grade | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Dealt:
    """An item of a session with what the reveal needs: the case it was made from, its sources and its words."""

    item: Item
    case: str
    sources: tuple[str, ...]
    history: str = ""
    teaching: str = ""
    void: bool = False  # its picture was lost before it could be read: it counts for nothing


@dataclass(frozen=True, slots=True, eq=False)
class ReadingSession:
    """A sitting as it stands. `dealt` are the cases so far, in order; `answers` by position."""

    id: str
    reader: str
    plan: Plan
    started_at: datetime  # UTC
    ended_at: datetime | None = None
    dealt: tuple[Dealt, ...] = ()
    answers: dict[int, Answered] = field(default_factory=dict)

    @property
    def next_position(self) -> int | None:
        """The first case without an answer; None when all `plan.length` have one, or are void."""
        void = {place for place, dealt in enumerate(self.dealt) if dealt.void}
        return next((k for k in range(self.plan.length) if k not in self.answers and k not in void), None)

    @property
    def told(self) -> bool:
        """True when the truth of an answered case may be shown now."""
        return self.plan.mode in TOLD_AT_ONCE or (self.plan.mode is Mode.EXAM and self.ended_at is not None)

    def elapsed_s(self, now: datetime) -> float:
        """Seconds since the start; a clock that was put back does not give any of them back."""
        latest = max([now, *(answered.at for answered in self.answers.values())])
        return max(0.0, (latest - self.started_at).total_seconds())

    def left_s(self, now: datetime) -> float | None:
        """Seconds left, at least 0; None where there is no limit."""
        return None if self.plan.limit_s is None else max(0.0, self.plan.limit_s - self.elapsed_s(now))


def reader_name(text: str) -> str:
    """A reader's name or pseudonym, tidied. Raises RequestError where it is none."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    # Vowel signs and accents of many scripts are marks (category M), which `isalnum` does not know.
    written = all(sign.isalnum() or sign in " .'\u2019-" or unicodedata.category(sign)[0] == "M" for sign in name)
    if not (written and name[:1].isalpha() and len(name) <= NAME_MAX):
        raise RequestError("A reader's name has 1 to 40 letters, digits, spaces or .'- and begins with a letter.")
    return name

"""A reader study before it is analysed: its protocol, its seats, and when a reader may begin a phase. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from synth.errors import PolicyError, RequestError
from synth.reading.answers import UNREADABLE, Shape, Task, canonical
from synth.reading.cases import TITLE_MAX

READERS_MAX = 50
PHASES_MAX = 2
WASHOUT_MAX_DAYS = 365
TEXT_MAX = 4000  # characters of consent or clues


@dataclass(frozen=True, slots=True)
class Protocol:
    """What every reader of a study does: each task on each case of the sets, in one or two phases.

    A second phase repeats the cases after at least `washout_days`, with `clues` shown before it: what gives synthetic
    images away, or what was taught between. With `opinion` the classifier's opinion follows each answer.
    """

    sets: tuple[str, ...]
    tasks: tuple[Task, ...]
    readers: int
    consent: str
    shuffled: bool = True  # each reader has an order of their own; False: that of the sets
    phases: int = 1
    clues: str = ""
    washout_days: int = 0
    opinion: bool = False
    shape: Shape = Shape.POINT

    def __post_init__(self) -> None:
        if not self.sets:
            raise RequestError("The study has no case set; choose at least one.")
        if not self.tasks:
            raise RequestError("The study has no task; choose at least one.")
        if not 1 <= self.readers <= READERS_MAX:
            raise RequestError(f"The study has {self.readers} readers; it needs 1 to {READERS_MAX}.")
        if not 1 <= self.phases <= PHASES_MAX:
            raise RequestError(f"The study has {self.phases} phases; it has 1 or {PHASES_MAX}.")
        if not 0 <= self.washout_days <= WASHOUT_MAX_DAYS:
            raise RequestError(f"The washout is {self.washout_days} days; it has 0 to {WASHOUT_MAX_DAYS}.")
        if self.shape is Shape.NONE:
            raise RequestError("A place is shown by a point, a box or an outline.")
        if not self.consent.strip():
            raise RequestError("The consent text is empty; readers must know what they agree to.")
        if max(len(self.consent), len(self.clues)) > TEXT_MAX:
            raise RequestError(f"A text of the study has more than {TEXT_MAX} characters; shorten it.")

    def to_json(self) -> str:
        """The protocol as JSON with sorted keys and no spaces."""
        return canonical(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Protocol:
        """The protocol back from `to_json`. Raises RequestError on unknown fields or bad values."""
        try:
            data: dict[str, Any] = dict(json.loads(text))
            data |= {"sets": tuple(data["sets"]), "tasks": tuple(Task(task) for task in data["tasks"])}
            return cls(**data | {"shape": Shape(data["shape"])})
        except UNREADABLE as error:
            raise RequestError(f"The stored protocol cannot be read: {error}.") from error


@dataclass(frozen=True, slots=True)
class Seat:
    """One reader's place in a study. `code` is what invites: whoever has it reads as this seat."""

    number: int  # from 1
    code: str
    name: str = ""  # pseudonym, given on the first visit
    consented_at: datetime | None = None  # UTC

    @property
    def reader(self) -> str:
        """The reader's name in every table and figure: never the person's."""
        return f"Reader {self.number}"


@dataclass(frozen=True, slots=True)
class Study:
    """A study: open to its readers until it is locked, and never again after."""

    id: str
    title: str
    owner: str
    created_at: datetime  # UTC
    protocol: Protocol
    seats: tuple[Seat, ...]
    locked_at: datetime | None = None  # UTC

    def __post_init__(self) -> None:
        if not self.title.strip() or len(self.title) > TITLE_MAX:
            raise RequestError(f"The title has {len(self.title.strip())} characters; it needs 1 to {TITLE_MAX}.")

    def seat(self, code: str) -> Seat:
        """The seat of an invitation. Raises RequestError where the study has none of that code."""
        for seat in self.seats:
            if seat.code == code:
                return seat
        raise RequestError(f"The study {self.title!r} has no seat {code!r}; check the invitation.")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reader is in one phase: answers of the cases that can be read."""

    reader: str  # "Reader 1"
    phase: int  # from 0
    answered: int
    total: int
    ended: bool

    @property
    def complete(self) -> bool:
        """True when no case is left."""
        return self.answered >= self.total


def phase_at(study: Study, seat: Seat, ended: tuple[datetime | None, ...], now: datetime) -> int | None:
    """The phase that a reader works on now, from 0; None when all are done. `ended` holds the end of each begun phase.

    Raises PolicyError where the study is locked, consent is missing, or the washout is not over.
    """
    if study.locked_at is not None:
        raise PolicyError(f"The study {study.title!r} is locked; nothing more is read in it.")
    if seat.consented_at is None:
        raise PolicyError("Please read the consent text and agree before the first case.")
    done = [at for at in ended if at is not None]
    if len(ended) > len(done):
        return len(done)
    if len(done) >= study.protocol.phases:
        return None
    if done:
        begins = done[-1] + timedelta(days=study.protocol.washout_days)
        if now < begins:
            raise PolicyError(f"The next phase opens on {begins:%Y-%m-%d at %H:%M} UTC, after the washout.")
    return len(done)

"""Release states: how far an image has come, what each state allows, and who may move it on. One table for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from synth.errors import PolicyError
from synth.governance.roles import LOCAL_USER, Permission, User, require

REASON_MIN = 10  # characters


class State(StrEnum):
    """How far an image has come; a new one is a draft."""

    DRAFT = "draft"  # a check of its quality failed, or none was made
    CHECKED = "checked"  # every check of its quality passed
    VALIDATED = "validated"  # radiologists have looked and found it as stated
    RELEASED = "released"  # by the governance officer
    WITHDRAWN = "withdrawn"  # for good


class Use(StrEnum):
    """What an image can be used for, in the words of a refusal."""

    PRACTICE = "own practice"
    OWN_FILE = "a marked file for whoever asked for it"
    SETS = "case sets"
    EXAM = "exams"
    EXPORT = "marked files for others"
    PACS = "a PACS"
    RESEARCH = "research"


class Fitness(StrEnum):
    """What a radiologist can find an image fit for."""

    PRACTICE = "practice"
    EXAM = "exam"
    RESEARCH = "research"


_DRAFT = frozenset({Use.PRACTICE, Use.OWN_FILE})
_CHECKED = _DRAFT | {Use.SETS, Use.EXAM, Use.EXPORT}
_VALIDATED = _CHECKED | {Use.PACS}

ALLOWS: Mapping[State, frozenset[Use]] = {
    State.DRAFT: _DRAFT,
    State.CHECKED: _CHECKED,
    State.VALIDATED: _VALIDATED,
    State.RELEASED: _VALIDATED | {Use.RESEARCH},
    State.WITHDRAWN: frozenset(),
}

# Which further moves there are and what each needs; None: no person, the checks of quality do it.
MOVES: Mapping[tuple[State, State], Permission | None] = {
    (State.DRAFT, State.CHECKED): None,
    (State.CHECKED, State.VALIDATED): Permission.VALIDATE,
    (State.VALIDATED, State.RELEASED): Permission.RELEASE,
    **{(state, State.WITHDRAWN): Permission.WITHDRAW for state in State if state is not State.WITHDRAWN},
}

# Once radiologists have judged an image, these uses also need their word.
NEEDS_FITNESS: Mapping[Use, Fitness] = {
    Use.SETS: Fitness.PRACTICE,
    Use.EXAM: Fitness.EXAM,
    Use.RESEARCH: Fitness.RESEARCH,
}


@dataclass(frozen=True, slots=True)
class Release:
    """How one image stands. `fit` is None until radiologists have judged it."""

    image: str
    state: State
    fit: frozenset[Fitness] | None = None
    reason: str = ""  # of the withdrawal
    protocol: str = ""  # id of the one that it was made under

    def allows(self, use: Use) -> bool:
        """Whether the state, and the radiologists' word where there is one, allow the use."""
        return use in ALLOWS[self.state] and self._fits(use)

    def require(self, use: Use) -> None:
        """Pass a use that is allowed; raises PolicyError saying what is missing."""
        if self.state is State.WITHDRAWN:
            raise PolicyError(self.words)
        if use not in ALLOWS[self.state]:
            needed = next(state for state in State if use in ALLOWS[state])
            raise PolicyError(f"Image {self.image} is {self.state}; for {use} it must be {needed}.")
        if not self._fits(use):
            raise PolicyError(f"Radiologists found image {self.image} not fit for {NEEDS_FITNESS[use]}.")

    @property
    def words(self) -> str:
        """The state as one sentence, with the reason of a withdrawal."""
        if self.state is State.WITHDRAWN:
            return f"Image {self.image} was withdrawn: {self.reason.rstrip('.')}."
        return f"Image {self.image} is {self.state}."

    def _fits(self, use: Use) -> bool:
        return self.fit is None or use not in NEEDS_FITNESS or NEEDS_FITNESS[use] in self.fit


def first_state(passed: bool, base: Release | None) -> State:
    """Where an image begins, by its checks of quality; what is made of a withdrawn image is withdrawn with it."""
    if base is not None and base.state is State.WITHDRAWN:
        return State.WITHDRAWN
    return State.CHECKED if passed else State.DRAFT


def require_move(now: Release, to: State, user: User) -> None:
    """Pass a move that the table has, by somebody who may make it. Raises PolicyError."""
    needs = MOVES.get((now.state, to))
    if needs is None:
        raise PolicyError(f"Image {now.image} is {now.state} and cannot become {to}.")
    require(user, needs)


def require_reason(reason: str) -> None:
    """Pass a reason that says something; raises PolicyError."""
    if len(reason.strip()) < REASON_MIN:
        raise PolicyError(f"The reason has {len(reason.strip())} characters; at least {REASON_MIN} are needed.")


def require_judge(user: User, maker: str) -> None:
    """Pass a radiologist who did not ask for the image; the one local user, alone in the house, may. PolicyError."""
    require(user, Permission.VALIDATE)
    if user.name == maker and user != LOCAL_USER:
        raise PolicyError(f"{user.name} asked for this image; another radiologist must judge it.")

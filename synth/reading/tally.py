"""What a group of readers made of one set: a line for each sitting, and one for each case of the set. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from synth.reading.cases import CaseSet, Entry
from synth.reading.performance import Proportion, proportion, reading_times
from synth.reading.sessions import Answered, ReadingSession

Sources = tuple[str, ...]  # of a case: "synthetic:<image id>" or "real:<library id>"


@dataclass(frozen=True, slots=True)
class SittingLine:
    """One reader's sitting: how much was answered, and how much of that was right at first."""

    reader: str
    started_at: datetime  # UTC
    ended: bool
    answered: int
    length: int
    right: Proportion | None  # None before the first answer
    median_s: float | None  # seconds a case


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case over all sittings, under the name that the educator knows it by."""

    name: str
    right: Proportion | None  # None where nobody has answered it
    median_s: float | None
    entry: Entry | None = None  # None for what was made of approved cases


def by_sitting(sessions: Iterable[ReadingSession]) -> list[SittingLine]:
    """A line for each session, in their order."""
    lines = []
    for session in sessions:
        answers = list(session.answers.values())
        void = sum(dealt.void for dealt in session.dealt)
        right, median_s = _summary(answers)
        ended = session.ended_at is not None or session.next_position is None
        length = session.plan.length - void
        lines.append(SittingLine(session.reader, session.started_at, ended, len(answers), length, right, median_s))
    return lines


def by_case(case_set: CaseSet, sessions: Iterable[ReadingSession]) -> list[CaseLine]:
    """A line for each approved case, in order, then for what else was made of them and read: befores, pairs, series.

    An answer belongs to the image that was read: after a case is drawn anew it begins from nothing.
    """
    answers: dict[Sources, list[Answered]] = {}
    for session in sessions:
        for position, answered in sorted(session.answers.items()):
            if position < len(session.dealt):
                answers.setdefault(session.dealt[position].sources, []).append(answered)
    lines = []
    for number, entry in enumerate(case_set.approved, start=1):
        sources = (f"real:{entry.real}" if entry.real else f"synthetic:{entry.job}",)
        lines.append(_line(str(number), answers.pop(sources, ()), entry))
    named = ((_name(case_set, sources), read) for sources, read in answers.items())
    return lines + [_line(name, read) for name, read in named if name]


def _name(case_set: CaseSet, sources: Sources) -> str:
    """What is made of the approved cases, as "3 before the lesion" or "3, 4"; "" for an image that is no more of it."""
    ids = {source.partition(":")[2] for source in sources}
    numbered = list(enumerate(case_set.approved, start=1))
    befores = [str(number) for number, entry in numbered if entry.base_job in ids]
    shown = [str(number) for number, entry in numbered if entry.job in ids]
    if len(sources) == 1:
        return f"{befores[0]} before the lesion" if befores else ""
    return f"{shown[0]} before and after" if befores and shown else ", ".join(shown)


def _line(name: str, answers: Sequence[Answered], entry: Entry | None = None) -> CaseLine:
    return CaseLine(name, *_summary(answers), entry)


def _summary(answers: Sequence[Answered]) -> tuple[Proportion | None, float | None]:
    """Share right of the first answers, and the median of their times in s; None where there are none."""
    times = reading_times([answered.seconds for answered in answers])
    right = proportion(sum(answered.grade.correct for answered in answers), len(answers))
    return right, times.median if times else None

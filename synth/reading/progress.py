"""What a reader has learnt: days, findings, weeks, confusions, and what comes next. Pure: time and zone come in.

Answers of an exam that still runs and of a study count as read, and tell nothing: neither right nor wrong, nor what
was to be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from synth.reading import choice, spacing
from synth.reading.answers import RealOrSynthetic, Task
from synth.reading.choice import NORMAL, SYNTHETIC, Estimate
from synth.reading.grading import Grade
from synth.reading.learning import Week, weeks
from synth.reading.matching import Outcome
from synth.reading.performance import Proportion, proportion
from synth.reading.reads import REAL
from synth.reading.sessions import Answered, Dealt, Mode, ReadingSession
from synth.reading.spacing import Due

UNNAMED = "unnamed"  # what was named of a finding that was missed
NOT_THERE = "not_there"  # what is so of a finding that was called beside others
WHOLE_CREDIT = 0.999  # a credit from here on is a whole one
STRIP_WEEKS = 12
MET = (Outcome.FOUND, Outcome.PARTLY)


@dataclass(frozen=True, slots=True)
class Read:
    """One answer as progress counts it; where the truth may not be told `correct` is None and the last three are empty.

    `codes` are the true findings, or NORMAL, REAL or SYNTHETIC, each with whether it was right; `called` holds pairs
    of what is so and what was named.
    """

    session: str
    position: int  # from 0
    at: datetime  # UTC
    task: Task
    mode: Mode
    seconds: float
    correct: bool | None = None
    score: float | None = None  # [0, 1]
    codes: tuple[tuple[str, bool], ...] = ()
    called: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """What tells one answer from all others."""
        return f"{self.session}-{self.position}"


@dataclass(frozen=True, slots=True)
class Streak:
    """Days in a row with an answer: those up to today, and the most there ever were."""

    days: int
    longest: int
    today: bool  # True once something was answered today


@dataclass(frozen=True, slots=True)
class FindingSkill:
    """What a reader knows of one finding; None where nothing is known yet."""

    code: str
    right: Proportion | None  # of the answers that may be told
    chance: float | None  # of a right answer on a case of average difficulty
    recall: float | None  # that it is still known now
    due: datetime | None  # UTC


@dataclass(frozen=True, slots=True)
class ComingUp:
    """What is to be repeated now, the one most likely forgotten first, and what follows, the next first."""

    due: tuple[Due, ...]
    later: tuple[tuple[str, datetime], ...]  # code, UTC


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often `named` was said where `true` is so; equal codes are hits."""

    true: str
    named: str
    count: int


def reads(session: ReadingSession) -> tuple[Read, ...]:
    """The answers of a session in the order of its cases, without those whose picture was lost."""
    pairs = [(session.dealt[at], session.answers[at]) for at in sorted(session.answers) if at < len(session.dealt)]
    return tuple(_read(session, dealt, answered) for dealt, answered in pairs if not dealt.void)


def _read(session: ReadingSession, dealt: Dealt, answered: Answered) -> Read:
    at, seconds, task = answered.at, round(answered.seconds, 1), dealt.item.task
    plain = Read(session.id, answered.position, at, task, session.plan.mode, seconds)
    if not session.told:
        return plain
    done = answered.grade
    codes, called = _codes(dealt, done), _called(dealt, answered)
    return replace(plain, correct=done.correct, score=done.score, codes=codes, called=called)


def _codes(dealt: Dealt, done: Grade) -> tuple[tuple[str, bool], ...]:
    """Each true finding: right where the whole answer is, or the finding by itself."""
    if dealt.item.task is Task.REAL_OR_SYNTHETIC:
        return ((_origin(dealt.item.truth.synthetic), done.correct),)
    whole = {verdict.code for verdict in done.verdicts if verdict.credit >= WHOLE_CREDIT}
    codes = choice.candidate_of(dealt.item).codes or (NORMAL,)
    return tuple((code, done.correct or code in whole) for code in codes)


def _called(dealt: Dealt, answered: Answered) -> tuple[tuple[str, str], ...]:
    """What was named for each true finding; one missed and one over-called in the same answer make a pair, in order."""
    task, done = dealt.item.task, answered.grade
    if isinstance(answered.answer, RealOrSynthetic):
        return ((_origin(dealt.item.truth.synthetic), _origin(answered.answer.synthetic)),)
    if task not in (Task.FINDINGS, Task.REPORT, Task.CHANGE):
        return ()
    pairs = [(verdict.code, verdict.named or verdict.code) for verdict in done.verdicts if verdict.outcome in MET]
    missed, other = list(done.codes(Outcome.MISSED)), list(done.codes(Outcome.OVER_CALLED))
    normal = not choice.candidate_of(dealt.item).codes
    for place in range(max(len(missed), len(other))):
        so = missed[place] if place < len(missed) else NORMAL if normal else NOT_THERE
        pairs.append((so, other[place] if place < len(other) else UNNAMED))
    return tuple(pairs or [(NORMAL, NORMAL)])


def _origin(synthetic: bool | None) -> str:
    return SYNTHETIC if synthetic else REAL


def days(answers: Iterable[Read], zone: tzinfo) -> Counter[date]:
    """How many answers were given on each day of the reader's time zone."""
    return Counter(read.at.astimezone(zone).date() for read in answers)


def streak(read_on: Collection[date], today: date) -> Streak:
    """Days in a row up to today, or up to yesterday as long as today has none."""
    known = {day for day in read_on if day <= today}
    end = today if today in known else today - timedelta(days=1)
    runs = {day: _run(known, day) for day in known if day + timedelta(days=1) not in known}
    return Streak(runs.get(end, 0), max(runs.values(), default=0), today in known)


def _run(known: Collection[date], last: date) -> int:
    length = 0
    while last - timedelta(days=length) in known:
        length += 1
    return length


def strip(read_on: Mapping[date, int], today: date, weeks: int = STRIP_WEEKS) -> tuple[tuple[date, int], ...]:
    """Every day of the last weeks with its number of answers: from a Monday up to today."""
    first = today - timedelta(days=today.weekday() + 7 * (weeks - 1))
    shown = (first + timedelta(days=number) for number in range((today - first).days + 1))
    return tuple((day, read_on.get(day, 0)) for day in shown)


def findings(
    answers: Iterable[Read], skills: Mapping[str, Estimate], cards: Mapping[str, str], now: datetime
) -> tuple[FindingSkill, ...]:
    """A row for each finding that was read or is known, the weakest first. `skills` and `cards` go by code.

    Raises RequestError on a card that cannot be read.
    """
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for read in answers:
        for code, was_right in read.codes:
            total[code] += 1
            right[code] += was_right
    rows = [_row(code, proportion(right[code], total[code]), skills, cards, now) for code in {*total, *skills, *cards}]
    return tuple(sorted(rows, key=lambda row: (2.0 if row.chance is None else row.chance, row.code)))


def _row(
    code: str, right: Proportion | None, skills: Mapping[str, Estimate], cards: Mapping[str, str], now: datetime
) -> FindingSkill:
    skill, card = skills.get(code), cards.get(code)
    return FindingSkill(
        code,
        right,
        choice.chance(skill.value, 0.0) if skill and skill.count else None,
        spacing.recall(card, now) if card else None,
        spacing.next_due(card) if card else None,
    )


def coming_up(cards: Mapping[str, str], now: datetime) -> ComingUp:
    """What is due now and what follows. Raises RequestError on a card that cannot be read."""
    waiting = spacing.due(cards, now)
    now_due = {entry.code for entry in waiting}
    later = [(code, spacing.next_due(card)) for code, card in cards.items() if code not in now_due]
    return ComingUp(waiting, tuple(sorted(later, key=lambda entry: (entry[1], entry[0]))))


def weekly(answers: Iterable[Read], zone: tzinfo) -> tuple[Week, ...]:
    """Share right in each ISO week that has an answer which may be told, the earliest first."""
    return weeks((read.at.astimezone(zone), read.correct) for read in answers if read.correct is not None)


def confusions(answers: Iterable[Read]) -> tuple[Confusion, ...]:
    """Each pair of what is so and what was named, the most frequent first."""
    pairs = Counter(pair for read in answers for pair in read.called)
    rows = (Confusion(true, named, count) for (true, named), count in pairs.items())
    return tuple(sorted(rows, key=lambda row: (-row.count, row.true, row.named)))


def latest_first(answers: Sequence[Read]) -> tuple[Read, ...]:
    """The history: by time, then by place."""
    return tuple(sorted(answers, key=lambda read: (read.at, read.session, read.position), reverse=True))

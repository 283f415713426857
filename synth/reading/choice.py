"""Which case comes next: near the reader's skill, no finding forgotten, normals as frequent as set, no case twice.

Skill and difficulty are logits on one scale, as in the Rasch model: the chance of a right answer is
1 / (1 + exp(difficulty - skill)). Both move after each answer by the error of that chance times a step that shrinks
with the answers seen, 1 / (1 + 0.05 n) (Pelanek, Applications of the Elo rating system in adaptive educational
systems, Computers & Education 2016).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from random import Random

from synth.errors import RequestError
from synth.reading.answers import Task
from synth.reading.grading import Grade
from synth.reading.items import Item, Truth

NORMAL = "normal"  # the skill of calling a normal picture normal, or a real one real
SYNTHETIC = "synthetic"  # the skill of telling a synthetic picture
STEP_FIRST, STEP_DECAY = 1.0, 0.05  # Pelanek 2016
TARGET = 0.75  # chance of a right answer that practice aims at: neither dull nor hopeless
BLOCK = 10  # cases over which practice keeps the share of normals
FAIR_EVERY = 2  # of so many abnormal cases one is of the finding that has been shown least
NEAREST = 5  # cases nearest to the target, among which chance decides
DAILY = 10  # cases a day


@dataclass(frozen=True, slots=True)
class Estimate:
    """A skill or a difficulty in logits, and from how many answers."""

    value: float = 0.0
    count: int = 0

    def moved(self, surprise: float) -> Estimate:
        """The estimate after one more answer; `surprise` in [-1, 1] is the error of the expected score."""
        step = STEP_FIRST / (1 + STEP_DECAY * self.count)
        return Estimate(self.value + step * surprise, self.count + 1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may come next. No `codes`: a normal. `case` tells items that must not both be shown."""

    id: str
    case: str
    codes: tuple[str, ...] = ()
    difficulty: Estimate = field(default_factory=Estimate)

    @property
    def normal(self) -> bool:
        """True when nothing is to be found on it."""
        return not self.codes


def candidate_of(item: Item, difficulty: Estimate | None = None) -> Candidate:
    """An item as a candidate. Of "real or synthetic" the real pictures stand for the normals: keep its skills apart."""
    return Candidate(item.id, item.same_case, asked_codes(item.task, item.truth), difficulty or Estimate())


def asked_codes(task: Task, truth: Truth) -> tuple[str, ...]:
    """What a task asks of a truth: findings, else changes; SYNTHETIC or nothing where it asks what is real."""
    if task is Task.REAL_OR_SYNTHETIC:
        return (SYNTHETIC,) if truth.synthetic else ()
    return truth.codes or truth.named


def scores_of(candidate: Candidate, grade: Grade) -> dict[str, float]:
    """The score in [0, 1] of each finding of a case (or "normal"): its own credit, or that of the whole answer."""
    credits = {verdict.code: verdict.credit for verdict in grade.verdicts}
    return {code: credits.get(code, grade.score) for code in candidate.codes or (NORMAL,)}


def chance(skill: float, difficulty: float) -> float:
    """The chance of a right answer in [0, 1], from logits."""
    return 1 / (1 + math.exp(min(max(difficulty - skill, -50.0), 50.0)))


def skill_for(skills: Mapping[str, Estimate], candidate: Candidate) -> float:
    """The reader's skill for an item in logits: the mean over its findings; 0 where nothing is known."""
    codes = candidate.codes or (NORMAL,)
    return sum(skills.get(code, Estimate()).value for code in codes) / len(codes)


def learnt(
    skills: Mapping[str, Estimate], candidate: Candidate, scores: Mapping[str, float]
) -> tuple[dict[str, Estimate], Estimate]:
    """Skills and the item's difficulty after an answer scored in [0, 1] for each of its findings (or "normal").

    Findings without a score keep their skill. Raises RequestError on a score outside [0, 1] or none at all.
    """
    asked = {code: scores[code] for code in candidate.codes or (NORMAL,) if code in scores}
    if not asked or not all(0.0 <= score <= 1.0 for score in asked.values()):
        raise RequestError(f"The scores are {dict(scores)}; each finding of the case needs one between 0 and 1.")
    after = dict(skills)
    for code, score in asked.items():
        before = skills.get(code, Estimate())
        after[code] = before.moved(score - chance(before.value, candidate.difficulty.value))
    expected = chance(skill_for(skills, candidate), candidate.difficulty.value)
    difficulty = candidate.difficulty.moved(expected - sum(asked.values()) / len(asked))
    return after, difficulty


def pattern(length: int, normal_share: float, seed: int) -> tuple[bool, ...]:
    """For each of `length` cases whether it is a normal: the share kept within one case, the order by chance."""
    if not 0.0 <= normal_share <= 1.0:
        raise RequestError(f"The share of normals is {normal_share}; it must lie between 0 and 1.")
    if length < 0:
        raise RequestError(f"The number of cases is {length}; it must be at least 0.")
    normals = math.floor(length * normal_share + 0.5)
    order = [True] * normals + [False] * (length - normals)
    Random(seed).shuffle(order)
    return tuple(order)


def next_is_normal(shown: int, normal_share: float, seed: int) -> bool:
    """Whether the case after `shown` cases of practice is a normal: dealt out in shuffled blocks of BLOCK cases.

    After every whole block the number of normals differs from the share by at most half a case; within a block the
    order is chance, so that the last case gives nothing away of the next.
    """
    block, place = divmod(shown, BLOCK)
    before, after = (math.floor(BLOCK * count * normal_share + 0.5) for count in (block, block + 1))
    return pattern(BLOCK, (after - before) / BLOCK, _mixed(seed, block))[place]


def next_item(
    candidates: Sequence[Candidate],
    shown: Sequence[Candidate],
    skills: Mapping[str, Estimate],
    seed: int,
    *,
    normal_share: float = 0.5,
    due: Collection[str] = (),
) -> Candidate | None:
    """The next case of practice; None when every case has been shown. Same arguments, same case.

    A normal or not by `next_is_normal`, and the other kind where one kind is used up. Among abnormal cases a finding
    shown least comes first every other time, so that rare ones are never starved; else those that are `due` to be
    repeated, else all. Of these it is one of the NEAREST to a chance of TARGET.
    """
    used = {other.case for other in shown}
    free = sorted((c for c in candidates if c.case not in used), key=lambda candidate: candidate.id)
    if not free:
        return None
    wanted = next_is_normal(len(shown), normal_share, seed)
    pool = [c for c in free if c.normal is wanted] or free
    if not pool[0].normal:
        pool = _fair(pool, shown) or [c for c in pool if set(c.codes) & set(due)] or pool
    chances = Random(_mixed(seed, len(shown)))
    chances.shuffle(pool)
    pool.sort(key=lambda c: abs(chance(skill_for(skills, c), c.difficulty.value) - TARGET))
    return chances.choice(pool[:NEAREST])


def _fair(pool: Sequence[Candidate], shown: Sequence[Candidate]) -> list[Candidate]:
    """Every FAIR_EVERY-th time the cases of the finding that has been shown least; empty in between."""
    if sum(not other.normal for other in shown) % FAIR_EVERY != FAIR_EVERY - 1:
        return []
    seen = Counter(code for other in shown for code in other.codes)
    rarest = min(sorted({code for candidate in pool for code in candidate.codes}), key=lambda code: seen[code])
    return [candidate for candidate in pool if rarest in candidate.codes]


def exam(
    candidates: Sequence[Candidate], length: int, seed: int, *, normal_share: float = 0.5
) -> tuple[Candidate, ...]:
    """The cases of an exam in order: no case twice, normals as set within one, findings dealt out as evenly as can be.

    Raises RequestError where there are too few cases of one kind.
    """
    chances = Random(seed)
    order = pattern(length, normal_share, _mixed(seed, length))
    free = sorted(candidates, key=lambda candidate: candidate.id)
    chances.shuffle(free)
    clear = {c.case for c in free if c.normal}
    spare = len(clear) - order.count(True)  # so many cases that have a normal may be shown as abnormal ones
    used: set[str] = set()
    seen: Counter[str] = Counter()
    chosen: dict[bool, list[Candidate]] = {True: [], False: []}
    for normal in sorted(order):  # the abnormal ones first
        pool = [c for c in free if c.normal is normal and c.case not in used]
        if not normal and spare <= 0:
            pool = [c for c in pool if c.case not in clear]
        if not pool:
            raise RequestError(_too_few(order, normal, len(chosen[normal])))
        pick = min(pool, key=lambda c: min((seen[code] for code in c.codes), default=0))
        spare -= not normal and pick.case in clear
        used.add(pick.case)
        seen.update(pick.codes)
        chosen[normal].append(pick)
    for cases in chosen.values():
        chances.shuffle(cases)
    return tuple(chosen[normal].pop() for normal in order)


def _too_few(order: Sequence[bool], normal: bool, there: int) -> str:
    kind, wanted = ("normal" if normal else "abnormal"), order.count(normal)
    return f"The exam needs {wanted} different {kind} cases; {there} can be had, so choose fewer or add some."


def daily(candidates: Sequence[Candidate], day: date, user: str, *, length: int = DAILY) -> tuple[Candidate, ...]:
    """The cases of one day for one user: the same all day, others for other users; fewer where few are there."""
    seed = int.from_bytes(sha256(f"{day.isoformat()}|{user}".encode()).digest()[:8], "big")
    clear = {c.case for c in candidates if c.normal}
    abnormal = {c.case for c in candidates if not c.normal}
    normals = min(length // 2, len(clear))
    count = normals + min(length - normals, len(abnormal - clear) + min(len(abnormal & clear), len(clear) - normals))
    if count == 0:
        return ()
    return exam(candidates, count, seed, normal_share=normals / count)


def _mixed(*numbers: int) -> int:
    """One seed out of several numbers."""
    return int.from_bytes(sha256(",".join(map(str, numbers)).encode()).digest()[:8], "big")

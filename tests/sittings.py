"""Reading sessions as tests need them: items with their truth, answers with their grades, in few words."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from synth.findings import VOCABULARY
from synth.reading import spacing
from synth.reading.answers import Answer, FindingsChosen, RealOrSynthetic, Task
from synth.reading.choice import Estimate, candidate_of, learnt, scores_of
from synth.reading.grading import grade
from synth.reading.items import Item, Truth, opaque_id
from synth.reading.sessions import Answered, Dealt, Mode, Plan, ReadingSession
from synth.reading.studies import Protocol, Seat, Study
from synth.store import Store
from synth.store.sittings import Learn, Skill, Skills
from synth.types import Finding

NOON = datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)  # a Monday
SIDE_PX = 64


def truth(*codes: str, synthetic: bool = True) -> Truth:
    """Codes and, for one of them at least, a square lesion."""
    area = np.zeros((SIDE_PX, SIDE_PX), bool)
    area[20:30, 40:50] = True
    return Truth(tuple(Finding(code) for code in codes), synthetic, area if codes else None)


def item(name: str, *codes: str, task: Task = Task.FINDINGS, synthetic: bool = True) -> Item:
    return Item(opaque_id("test", name), task, (f"picture-{name}",), truth(*codes, synthetic=synthetic), case=name)


def dealt(name: str, *codes: str, task: Task = Task.FINDINGS, synthetic: bool = True, **words: str) -> Dealt:
    return Dealt(item(name, *codes, task=task, synthetic=synthetic), f"case-{name}", (f"synthetic:{name}",), **words)


def sitting(name: str, *cases: Dealt, reader: str = "Ada", start: datetime = NOON, **plan: Any) -> ReadingSession:
    """A session that has not ended; words of the plan beside `mode` and `tasks` as keywords."""
    asked = {"mode": Mode.PRACTICE, "tasks": (Task.FINDINGS,), "length": max(1, len(cases))} | plan
    return ReadingSession(name, reader, Plan(**asked), start, dealt=cases)


def named(*codes: str) -> FindingsChosen:
    """The findings of these codes, or normal."""
    return FindingsChosen(tuple(Finding(code) for code in codes), normal=not codes)


def rated(score: int) -> RealOrSynthetic:
    return RealOrSynthetic(score)


def answered(position: int, case: Dealt, answer: Answer, seconds: float = 7.5, at: datetime | None = None) -> Answered:
    return Answered(position, answer, grade(case.item, answer), seconds, at or NOON + timedelta(minutes=position))


def read(session: ReadingSession, *answers: Answer, at: datetime | None = None) -> ReadingSession:
    """The session with its first cases answered, all at one time or minute by minute."""
    pairs = zip(session.dealt, answers, strict=False)
    kept = {place: answered(place, case, answer, at=at) for place, (case, answer) in enumerate(pairs)}
    return replace(session, answers=kept)


def study(name: str = "study-1", readers: int = 2, **protocol: Any) -> Study:
    asked = {"sets": ("set-1",), "tasks": (Task.FINDINGS,), "readers": readers, "consent": "I agree."} | protocol
    seats = tuple(Seat(number, f"{name[:8]}{number:04}") for number in range(1, readers + 1))
    return Study(name, "Can it be told?", "Åsa", NOON, Protocol(**asked), seats)


def at_once(work: Callable[[int], None], count: int) -> None:
    """Run `work(0)`, `work(1)`, ... and let all begin together; the first exception is raised here."""
    gate, failures = threading.Barrier(count), list[BaseException]()

    def guarded(number: int) -> None:
        try:
            gate.wait(30)
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def learning(case: Dealt, done: Answered) -> Learn:
    """Skills moved, and cards of findings reviewed, by one answer."""
    candidate = candidate_of(case.item)
    scores = scores_of(candidate, done.grade)

    def learn(known: Skills, difficulty: Estimate) -> tuple[Skills, Estimate]:
        estimates = {code: skill.estimate for code, skill in known.items()}
        after, harder = learnt(estimates, replace(candidate, difficulty=difficulty), scores)
        cards = {code: skill.card for code, skill in known.items()}
        for code, score in scores.items():
            if code in VOCABULARY:
                before = cards.get(code) or spacing.new_card(code, done.at)
                cards[code] = spacing.reviewed(before, spacing.rating(score, correct=score == 1.0), done.at)
        return {code: Skill(after[code], cards.get(code, "")) for code in scores}, harder

    return learn


def keep(store: Store, session: ReadingSession, *answers: Answer, at: datetime = NOON, ended: bool = False) -> None:
    """Begin a session, answer its first cases a minute apart, and end it if asked to."""
    store.sittings.begin(session)
    for position, answer in enumerate(answers):
        case = session.dealt[position]
        done = answered(position, case, answer, 5.0 + position, at + timedelta(minutes=position))
        scope = "real_or_synthetic" if case.item.task is Task.REAL_OR_SYNTHETIC else "findings"
        assert store.sittings.answer(session.id, done, learning(case, done), scope) == "kept"
    if ended:
        store.sittings.end(session.id, at + timedelta(hours=1))

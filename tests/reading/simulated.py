"""Readers who are not there: a study in a store with answers that people might give, the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from synth.reading.answers import Answer, FindingsChosen, Place, RealOrSynthetic, Shape, Task, placed
from synth.reading.codes import codes
from synth.reading.grading import grade
from synth.reading.items import Item, Truth, opaque_id
from synth.reading.sessions import Answered, Dealt, Mode, Plan, ReadingSession
from synth.reading.studies import Protocol, Seat, Study
from synth.store import Store
from synth.types import Finding, Side

BEGUN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LOCKED = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
SIDE = 64
CODES = ("pneumonia", "pneumothorax", "pleural_effusion")
TASKS = (Task.REAL_OR_SYNTHETIC, Task.FINDINGS, Task.WHERE)
SKILL = (0.9, 1.4, 2.0)  # d' of the readers in the first phase


def study(readers: int = 3, phases: int = 2, tasks: tuple[Task, ...] = TASKS, **changes: object) -> Study:
    """A study whose seats are all taken."""
    protocol = Protocol(("set-1",), tasks, readers, "You may stop at any time.", phases=phases, washout_days=7)
    if phases > 1:
        protocol = replace(protocol, clues="Too smooth bone; grain that is the same everywhere.")
    chances = np.random.default_rng(5)
    names = codes(readers, lambda letters: letters[int(chances.integers(len(letters)))])
    seats = tuple(Seat(k + 1, name, f"Pseudonym {chr(65 + k)}", BEGUN) for k, name in enumerate(names))
    return Study("study-1", "Can you tell?", "local", BEGUN, replace(protocol, **changes), seats)  # type: ignore[arg-type]


def item(number: int, task: Task) -> Item:
    """Case `number` under a task: even ones are positive."""
    positive = number % 2 == 0
    findings = (Finding(CODES[number // 2 % 3], Side.RIGHT),) if positive else ()
    truth = Truth(findings)
    if task is Task.REAL_OR_SYNTHETIC:
        truth = Truth(synthetic=positive)
    elif task is Task.WHERE:
        area = np.zeros((SIDE, SIDE), bool)
        if positive:
            area[20:34, 36 + number % 8 : 50 + number % 8] = True
        truth = Truth(findings, area=area)
    options = CODES if task is Task.FINDINGS else ()
    return Item(opaque_id("simulated", str(number), task.value), task, (f"p{number}",), truth, options)


def answer(given: Item, evidence: float, chances: np.random.Generator) -> Answer:
    """What a reader says who has this much evidence, in standard deviations, for a positive case."""
    confidence = int(np.clip(np.ceil(abs(evidence) * 3), 1, 6))
    if given.task is Task.REAL_OR_SYNTHETIC:
        return RealOrSynthetic(int(np.clip(np.floor(evidence * 1.5) + 4, 1, 6)))
    if given.task is Task.FINDINGS:
        if evidence <= 0:
            return FindingsChosen(normal=True, confidence=confidence)
        offered = given.options or CODES
        true = given.truth.codes[0] if given.truth.codes else offered[0]
        code = true if chances.random() < 0.8 else offered[int(chances.integers(len(offered)))]
        return FindingsChosen((Finding(code, Side.RIGHT),), confidence=confidence)
    return _place(given, evidence, confidence, chances)


def _place(given: Item, evidence: float, confidence: int, chances: np.random.Generator) -> Place:
    if evidence <= 0:
        return placed(Shape.NONE, [], SIDE, SIDE, confidence)
    rows, columns = np.nonzero(given.truth.area) if given.truth.placed else (np.array([30]), np.array([20]))
    spread = 14.0 if evidence < 0.5 else 4.0
    x, y = (float(np.clip(values.mean() + spread * chances.normal(), 1, SIDE - 1)) for values in (columns, rows))
    return placed(Shape.POINT, [(x, y)], SIDE, SIDE, confidence)


def sitting(of: Study, reader: int, phase: int, cases: int = 20, answered: int | None = None) -> ReadingSession:
    """One phase of one reader, from 0; a gain of half a standard deviation in the second."""
    chances = np.random.default_rng([reader, phase])
    items = [(number, item(number, task)) for task in of.protocol.tasks for number in range(cases)]
    plan = Plan(Mode.STUDY, of.protocol.tasks, length=len(items), rated=True, study=of.id, phase=phase)
    begun = BEGUN + timedelta(days=14 * phase, hours=reader)
    answers = {}
    for position, (number, given) in enumerate(items[:answered]):
        shared = np.random.default_rng([99, number]).normal() / 2  # some cases are hard for everybody
        d_prime = SKILL[reader % 3] + 0.5 * phase
        evidence = d_prime * (0.5 if number % 2 == 0 else -0.5) + shared + 0.8 * chances.normal()
        said = answer(given, evidence, chances)
        seconds = float(np.round(4 + 20 * chances.random(), 1))
        at = begun + timedelta(seconds=30 * position)
        answers[position] = Answered(position, said, grade(given, said), seconds, at)
        if of.protocol.opinion:
            second = answer(given, evidence + (0.6 if number % 2 == 0 else -0.6), chances)
            told = {"opinion": '{"says":"finding"}', "revised": second, "revised_grade": grade(given, second)}
            answers[position] = replace(answers[position], **told)
    dealt = tuple(Dealt(given, f"case-{number:02d}", (f"synthetic:{number}",)) for number, given in items)
    ended = begun + timedelta(hours=1) if answered is None else None
    name = of.seats[reader].reader
    return ReadingSession(f"sitting-{reader}-{phase}", name, plan, begun, ended, dealt, answers)


def fill(store: Store, of: Study, cases: int = 20) -> list[ReadingSession]:
    """Keep the study and, by every reader in every phase, every answer."""
    store.casebook.add_study(replace(of, locked_at=None))
    made = [sitting(of, k, phase, cases) for phase in range(of.protocol.phases) for k in range(of.protocol.readers)]
    for one in made:
        store.sittings.begin(replace(one, ended_at=None))
        for answered in one.answers.values():
            assert store.sittings.answer(one.id, answered) == "kept"
            if answered.revised is not None:
                assert store.sittings.revise(one.id, answered)
        if one.ended_at:
            store.sittings.end(one.id, one.ended_at)
    if of.locked_at:
        store.casebook.lock_study(of.id, of.locked_at)
    return made

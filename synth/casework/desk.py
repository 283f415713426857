"""The desk at which readers sit: cases are dealt, answers graded and kept, and what was learnt goes into the next case.

Nothing that could tell the truth leaves a `Dealt` before its answer: pictures are named by the hash of what is shown.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.casework.pool import options
from synth.errors import DicomError, PolicyError, RequestError, StoreError
from synth.findings import VOCABULARY
from synth.governance.release import Use
from synth.imaging import fit_square, to_uint8
from synth.library.folders import Library
from synth.provenance import remark
from synth.reading import choice, spacing
from synth.reading.answers import Answer, Task
from synth.reading.blind import SIDE_PX, blinded
from synth.reading.cases import Case
from synth.reading.choice import Candidate, Estimate
from synth.reading.grading import grade
from synth.reading.items import Item, Truth, opaque_id
from synth.reading.sessions import SECONDS_MAX, Answered, Dealt, Mode, Plan, ReadingSession
from synth.store import Store
from synth.store.sittings import Kept, Learn, Skill, Skills
from synth.types import Modality

SCOPE_OF = {Task.REAL_OR_SYNTHETIC: "real_or_synthetic"}  # its "normal" means real: skills are kept apart
FINDINGS_SCOPE = "findings"
EVEN_S = 0.4  # in which a case is dealt where the question is what is real: its time must not tell
SURE = 0.999  # a credit from here on is a whole one

Shown = npt.NDArray[np.uint8]


class Desk:
    """Deals from `cases` to readers and keeps what they answer. Safe from any thread: it holds no state."""

    def __init__(self, store: Store, library: Library, cases: Sequence[Case], blind_key: bytes) -> None:
        """`blind_key` is that of the mark of real pictures in blind reading: synthetic ones have theirs already."""
        self._store = store
        self._library = library
        self._blind_key = blind_key
        self._cases = {case.id: case for case in cases}

    @property
    def patients(self) -> int:
        """How many different cases there are: what was made of one image counts once."""
        return len({case.same for case in self._cases.values()})

    def begin(self, session_id: str, reader: str, plan: Plan, now: datetime) -> ReadingSession:
        """A new session, or the one that is there; all cases are dealt at once unless the next depends on skill.

        Raises RequestError where there are too few cases for the plan.
        """
        if plan.adaptive:
            plan = self._fitting(plan, reader, now)
            return self._store.sittings.begin(ReadingSession(session_id, reader, plan, now))
        chosen = self._chosen(plan, reader, now)
        use = Use.EXAM if plan.mode is Mode.EXAM else Use.SETS
        dealt = [dealt for case, task in chosen if (dealt := self._dealt(session_id, case, task, use)) is not None]
        if not dealt:
            raise RequestError("There is no case for this plan yet; choose other tasks or another set.")
        plan = replace(plan, length=len(dealt))
        return self._store.sittings.begin(ReadingSession(session_id, reader, plan, now, dealt=tuple(dealt)))

    def case(self, session: ReadingSession, position: int, now: datetime) -> Dealt | None:
        """The case at a position, dealt now where that is due; None where no case is left."""
        if position < len(session.dealt):
            return session.dealt[position]
        if not session.plan.adaptive or position != len(session.dealt) or position >= session.plan.length:
            return None
        begun = time.monotonic()
        for case, task in self._next(session, now):
            dealt = self._dealt(session.id, case, task, Use.SETS)
            if dealt is not None:
                if task is Task.REAL_OR_SYNTHETIC:  # a film of 1024 px takes longer to read than a drawn one of 256
                    time.sleep(max(0.0, EVEN_S - (time.monotonic() - begun)))
                return self._store.sittings.deal(session.id, position, dealt)
        return None

    def answer(
        self, session: ReadingSession, position: int, answer: Answer, seconds: float, now: datetime
    ) -> tuple[Kept, Answered]:
        """Grade an answer and keep it; the first one counts, but where the plan lets its reader go back.

        Raises RequestError where it is no answer to this case, and PolicyError where a report names a person.
        """
        plan, dealt = session.plan, session.dealt[position]
        done = grade(dealt.item, answer)
        answered = Answered(position, answer, done, min(max(seconds, 0.0), SECONDS_MAX), now)
        if session.left_s(now) == 0:
            self.end(session, now)
            return "ended", answered
        if plan.back:
            return self._store.sittings.change_answer(session.id, answered), answered
        # What an exam teaches waits for its end: the progress page would tell the truth before.
        teach = None if plan.mode in (Mode.STUDY, Mode.EXAM) else _learning(dealt.item, answered, now)
        kept = self._store.sittings.answer(session.id, answered, teach, scope_of(dealt.item.task))
        return kept, answered

    def end(self, session: ReadingSession, now: datetime) -> None:
        """End a session; an exam teaches now what its answers were worth."""
        lessons: dict[int, tuple[str, Learn]] = {}
        if session.plan.mode is Mode.EXAM:
            for position, answered in session.answers.items():
                item = session.dealt[position].item
                lessons[position] = (scope_of(item.task), _learning(item, answered, now))
        self._store.sittings.end(session.id, now, lessons)

    def _fitting(self, plan: Plan, reader: str, now: datetime) -> Plan:
        """The plan with as many cases as there are. Raises RequestError where there is none."""
        candidates = [c for task in plan.tasks for c in self._candidates(task, {})]
        if plan.mode is Mode.SPACED:
            due = self._due(reader, now)
            candidates = [c for c in candidates if set(c.codes) & set(due)]
            if not candidates:
                raise RequestError(self._nothing_due(reader))
        count = len({candidate.case for candidate in candidates})
        if count == 0:
            raise RequestError("There is no case for these tasks yet; choose others or wait until the set is drawn.")
        return replace(plan, length=min(plan.length, count))

    def _due(self, reader: str, now: datetime) -> tuple[str, ...]:
        skills = self._store.sittings.skills(reader, FINDINGS_SCOPE)
        cards = {code: skill.card for code, skill in skills.items() if skill.card}
        return tuple(entry.code for entry in spacing.due(cards, now))

    def _nothing_due(self, reader: str) -> str:
        skills = self._store.sittings.skills(reader, FINDINGS_SCOPE).values()
        dates = sorted(spacing.next_due(skill.card) for skill in skills if skill.card)
        later = f"the next is due on {dates[0]:%Y-%m-%d at %H:%M} UTC" if dates else "read some cases first"
        return f"Nothing is due to be repeated: {later}."

    def _candidates(self, task: Task, difficulties: Mapping[str, Estimate]) -> list[Candidate]:
        return [
            candidate_of(case, task, difficulties.get(case.id)) for case in self._cases.values() if task in case.tasks
        ]

    def _next(self, session: ReadingSession, now: datetime) -> list[tuple[Case, Task]]:
        """What may come next, the best first; the tasks take turns. More than one, as a picture may be gone."""
        plan, found = session.plan, []
        shown = [candidate_of(self._cases[d.case], d.item.task) for d in session.dealt if d.case in self._cases]
        at = len(session.dealt)
        due = self._due(session.reader, now) if plan.mode is Mode.SPACED else ()
        for turn in range(len(plan.tasks)):
            task = plan.tasks[(at + turn) % len(plan.tasks)]
            candidates = self._candidates(task, self._store.sittings.difficulties(task))
            if due:
                candidates = [c for c in candidates if c.normal or set(c.codes) & set(due)]
            known = self._store.sittings.skills(session.reader, scope_of(task))
            skills = {code: skill.estimate for code, skill in known.items()}
            for _ in range(3):
                share = {"normal_share": plan.normal_share, "due": due}
                pick = choice.next_item(candidates, shown, skills, plan.seed, **share)  # type: ignore[arg-type]
                if pick is None:
                    break
                found.append((self._cases[pick.id], task))
                candidates = [c for c in candidates if c.id != pick.id]
        return found

    def _chosen(self, plan: Plan, reader: str, now: datetime) -> list[tuple[Case, Task]]:
        """All cases of a session that is dealt beforehand, in order."""
        if plan.mode is Mode.STUDY:
            return self._of_study(plan, reader)
        if plan.in_order:
            return self._in_order(plan)
        served = {case.id: [task for task in plan.tasks if task in case.tasks] for case in self._cases.values()}
        tasks = {case: random.Random(f"{plan.seed} {case}").choice(can) for case, can in served.items() if can}
        candidates = [candidate_of(self._cases[case], task) for case, task in tasks.items()]
        if plan.mode is Mode.DAILY:
            picked = choice.daily(candidates, now.date(), reader, length=plan.length)
        else:
            picked = choice.exam(candidates, plan.length, plan.seed, normal_share=plan.normal_share)
        return [(self._cases[candidate.id], tasks[candidate.id]) for candidate in picked]

    def _in_order(self, plan: Plan) -> list[tuple[Case, Task]]:
        """The entries of a set as they stand; of the tasks that a case can serve, each in turn."""
        chosen: list[tuple[Case, Task]] = []
        for case in self._cases.values():
            can = [task for task in plan.tasks if task in case.tasks]
            if can:
                chosen.append((case, can[len(chosen) % len(can)]))
        return chosen[: plan.length]

    def _of_study(self, plan: Plan, reader: str) -> list[tuple[Case, Task]]:
        """Every case of the sets under each task, task by task; the seed shuffles, 0 keeps the order of the sets."""
        chosen = []
        for task in plan.tasks:
            block = [case for case in self._cases.values() if task in case.tasks]
            if plan.seed:
                random.Random(f"{plan.seed} {reader} {plan.phase} {task}").shuffle(block)
            chosen += [(case, task) for case in block]
        return chosen

    def _dealt(self, session_id: str, case: Case, task: Task, use: Use) -> Dealt | None:
        """The case with its pictures as they are shown; None where one of them can not be read or used any more."""
        try:
            for kind, _, name in (source.partition(":") for source in case.sources):
                if kind == "synthetic":
                    self._store.validation.release(name).require(use)
            pictures, truth = self._pictures(case, task, session_id)
        except (StoreError, DicomError, RequestError, PolicyError):
            return None
        offered = options(self._cases.values(), case.modality) if task in (Task.FINDINGS, Task.CHANGE) else ()
        names = tuple(self._store.add_picture(picture) for picture in pictures)
        item = Item(opaque_id(session_id, case.id, task), task, names, truth, offered, case.same)
        return Dealt(item, case.id, case.sources, case.history, case.teaching)

    def _pictures(self, case: Case, task: Task, session_id: str) -> tuple[list[Shown], Truth]:
        """What is shown, (SIDE_PX, SIDE_PX) uint8 each, without a mark, and the truth in px of it.

        Where the question is what is real, all are encoded blind. That costs corners and contrast, which findings
        need: for those, real and synthetic images are only brought to one size and depth.
        """
        sources, area = [self._source(source) for source in case.sources], case.truth.area
        if task is not Task.REAL_OR_SYNTHETIC:
            shown = None if area is None else fit_square(np.uint8(255) * area, SIDE_PX) > 127
            return [fit_square(pixels, SIDE_PX) for pixels in sources], replace(case.truth, area=shown)
        seed = int(opaque_id(session_id, case.id)[:8], 16)
        real = case.sources[0].startswith("real:")
        source = to_uint8(remark.decoy(sources[0], case.sources[0], self._blind_key)) if real else sources[0]
        blind = blinded(source, seed, Modality(case.modality))
        return [blind.pixels], replace(case.truth, area=None if area is None else blind.area(area))

    def _source(self, source: str) -> Shown:
        kind, _, name = source.partition(":")
        return to_uint8(self._store.image(name).pixels) if kind == "synthetic" else self._library.whole(name)


def scope_of(task: Task) -> str:
    """Which skills a task trains."""
    return SCOPE_OF.get(task, FINDINGS_SCOPE)


def candidate_of(case: Case, task: Task, difficulty: Estimate | None = None) -> Candidate:
    """A case under one task, as `choice.candidate_of` has it, before any picture is made."""
    return Candidate(case.id, case.same, choice.asked_codes(task, case.truth), difficulty or Estimate())


def _learning(item: Item, answered: Answered, now: datetime) -> Learn:
    """What an answer does to the reader's skills and cards and to the difficulty of the case."""

    def learn(before: Skills, difficulty: Estimate) -> tuple[Skills, Estimate]:
        candidate = choice.candidate_of(item, difficulty)
        scores = choice.scores_of(candidate, answered.grade)
        estimates = {code: skill.estimate for code, skill in before.items()}
        after, harder = choice.learnt(estimates, candidate, scores)
        confidence = getattr(answered.answer, "confidence", None)
        cards: dict[str, Any] = {code: skill.card for code, skill in before.items()}
        for code, score in scores.items():
            if code in VOCABULARY:
                correct = score >= SURE or answered.grade.correct
                rated = spacing.rating(score, correct=correct, confidence=confidence)
                cards[code] = spacing.reviewed(cards.get(code) or spacing.new_card(code, now), rated, now)
        return {code: Skill(after[code], cards.get(code, "")) for code in scores}, harder

    return learn

"""Results of a set: a line for each sitting and each case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from synth.reading.answers import RealOrSynthetic, Task
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.reading.grading import Grade
from synth.reading.items import Item, Truth, opaque_id
from synth.reading.performance import wilson
from synth.reading.sessions import Answered, Dealt, Mode, Plan, ReadingSession
from synth.reading.tally import by_case, by_sitting
from synth.types import Finding, GenerationRequest

START = datetime(2026, 5, 4, 8, tzinfo=UTC)
CORNERS = ((0.2, 0.2), (0.4, 0.2), (0.4, 0.4))
APPROVED = Standing.APPROVED


@pytest.fixture
def case_set() -> CaseSet:
    """Cases 1 to 4 as trainees meet them: words, lesion, real, lesion; between them one that is left out."""
    words = Recipe(GenerationRequest(findings=(Finding("edema"),)))
    drawn = Recipe(GenerationRequest(seed=1), CORNERS, Finding("nodule"))
    entries = (
        Entry("e1", words, standing=APPROVED, job="job1"),
        Entry("e2", words, standing=Standing.REFUSED, job="job2"),
        Entry("e3", drawn, standing=APPROVED, job="job3", base_job="base3"),
        Entry("e4", real="film", standing=APPROVED),
        Entry("e5", drawn, standing=APPROVED, job="job5", base_job="base3"),
    )
    return CaseSet("set", "ABCD2345", "First year", "ada", entries)


def sitting(reader: str, *read: tuple[tuple[str, ...], bool, float], length: int = 4, void: int = 0) -> ReadingSession:
    """A session of cases as (sources, right, seconds), and some that were lost."""
    tasks = (Task.REAL_OR_SYNTHETIC,)
    names = [opaque_id(reader, str(position)) for position in range(len(read) + void)]
    items = [Item(name, tasks[0], (name,), Truth(synthetic=True)) for name in names]
    sources = [*(sources for sources, _, _ in read), *[("synthetic:gone",)] * void]
    cases = enumerate(zip(items, sources, strict=True))
    dealt = tuple(Dealt(item, "", source, void=place >= len(read)) for place, (item, source) in cases)
    answers = {
        k: Answered(k, RealOrSynthetic(4), Grade(float(right), right), seconds, START + timedelta(minutes=k))
        for k, (_, right, seconds) in enumerate(read)
    }
    return ReadingSession(reader, reader, Plan(Mode.EXAM, tasks, "set", length), START, None, dealt, answers)


def test_a_sitting_has_its_share_interval_and_median() -> None:
    read = [(("synthetic:job1",), True, 4.0), (("synthetic:job3",), False, 8.0), (("real:film",), True, 30.0)]
    line, empty = by_sitting([sitting("Ada", *read), sitting("Ben")])
    assert (line.reader, line.answered, line.length, line.ended, line.median_s) == ("Ada", 3, 4, False, 8.0)
    assert line.right is not None and (line.right.successes, line.right.total) == (2, 3)
    assert line.right.interval == wilson(2, 3)
    assert (empty.answered, empty.right, empty.median_s) == (0, None, None)


def test_a_case_that_was_lost_is_not_waited_for() -> None:
    line = by_sitting([sitting("Ada", (("synthetic:job1",), True, 4.0), length=2, void=1)])[0]
    assert (line.answered, line.length, line.ended) == (1, 1, True)


def test_each_case_gathers_the_answers_of_all_readers(case_set: CaseSet) -> None:
    ada = sitting("Ada", (("synthetic:job1",), True, 4.0), (("real:film",), False, 10.0))
    ben = sitting("Ben", (("real:film",), True, 20.0), (("synthetic:job1",), True, 6.0))
    lines = by_case(case_set, [ada, ben])
    told = [(line.name, line.right and (line.right.successes, line.right.total), line.median_s) for line in lines]
    assert told == [("1", (2, 2), 5.0), ("2", None, None), ("3", (1, 2), 15.0), ("4", None, None)]


def test_what_is_made_of_cases_is_named_after_them(case_set: CaseSet) -> None:
    sources = [("synthetic:base3",), ("synthetic:base3", "synthetic:job3"), ("synthetic:job3", "synthetic:job5")]
    lines = by_case(case_set, [sitting("Ada", *((source, True, 1.0) for source in sources))])
    assert [line.name for line in lines[4:]] == ["2 before the lesion", "2 before and after", "2, 4"]


def test_answers_to_an_image_that_was_drawn_anew_are_not_those_of_the_new_one(case_set: CaseSet) -> None:
    lines = by_case(case_set, [sitting("Ada", (("synthetic:job-before",), False, 4.0))])
    assert [(line.name, line.right) for line in lines] == [("1", None), ("2", None), ("3", None), ("4", None)]

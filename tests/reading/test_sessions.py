"""Sittings: plans, what comes next, when the truth is told, how much time is left, and readers' names."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import RequestError
from synth.reading.answers import Shape, Task
from synth.reading.sessions import LENGTH_MAX, LIMIT_MAX_S, Mode, Plan, reader_name
from tests.sittings import NOON, answered, dealt, named, read, sitting

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
plans = st.builds(
    lambda back, mode, **rest: Plan(mode=Mode.EXAM if back else mode, back=back, **rest),
    back=st.booleans(),
    mode=st.sampled_from(Mode),
    tasks=st.lists(st.sampled_from(Task), min_size=1, max_size=6, unique=True).map(tuple),
    source=words,
    length=st.integers(1, LENGTH_MAX),
    normal_share=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    limit_s=st.none() | st.floats(10, LIMIT_MAX_S),
    shape=st.sampled_from([Shape.POINT, Shape.BOX, Shape.OUTLINE]),
    rated=st.booleans(),
    opinion=st.booleans(),
    study=words,
    phase=st.integers(0, 1),
)
PLAN = Plan(Mode.PRACTICE, (Task.FINDINGS,))
CASES = [dealt(f"{number}", "pneumonia") for number in range(3)]


@given(plans)
def test_a_plan_comes_back_from_its_json(plan: Plan) -> None:
    back = Plan.from_json(plan.to_json())
    assert back == plan
    assert back.to_json() == plan.to_json()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tasks": ()}, "No task is chosen; choose at least one."),
        ({"length": 0}, "The number of cases is 0; it must lie between 1 and 200."),
        ({"length": 201}, "The number of cases is 201; it must lie between 1 and 200."),
        ({"normal_share": -0.1}, "The share of normals is -0.1; it must lie between 0 and 1."),
        ({"normal_share": float("nan")}, "The share of normals is nan; it must lie between 0 and 1."),
        ({"seed": 2**32}, "Seed is 4294967296; it must lie between 0 and 4294967295."),
        ({"limit_s": 9.0}, "The time is 9 s; it must lie between 10 and 14400 s."),
        ({"limit_s": 14401.0}, "The time is 14401 s; it must lie between 10 and 14400 s."),
        ({"shape": Shape.NONE}, "A place is shown by a point, a box or an outline."),
        ({"back": True}, "Only an exam lets its reader go back."),
    ],
)
def test_a_plan_out_of_range_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        replace(PLAN, **change)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "text",
    ["", "null", "7", "[]", "{}", '{"mode":"practice"}', PLAN.to_json().replace("practice", "party"),
     PLAN.to_json()[:-1] + ',"more":1}', PLAN.to_json().replace('"length":10', '"length":"ten"'),
     PLAN.to_json().replace('"findings"', '"sunburn"'), PLAN.to_json().replace('"box"', "null"),
     PLAN.to_json().replace('"normal_share":0.5', '"normal_share":[]')],
)  # fmt: skip
def test_a_broken_plan_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match=r"^The stored plan cannot be read: [^\n]*\.$"):
        Plan.from_json(text)


def test_the_next_case_is_the_first_without_an_answer() -> None:
    session = sitting("s1", *CASES)
    assert session.next_position == 0
    begun = replace(session, answers={0: answered(0, CASES[0], named()), 2: answered(2, CASES[2], named())})
    assert begun.next_position == 1
    assert read(session, named(), named(), named()).next_position is None


def test_a_case_that_is_void_is_passed_over() -> None:
    lost = replace(CASES[0], void=True)
    assert sitting("s1", lost, *CASES[1:]).next_position == 1
    assert sitting("s1", lost).next_position is None


@pytest.mark.parametrize(
    ("mode", "running", "over"),
    [(Mode.PRACTICE, True, True), (Mode.SPACED, True, True), (Mode.DAILY, True, True), (Mode.EXAM, False, True),
     (Mode.STUDY, False, False)],
)  # fmt: skip
def test_the_truth_is_told_at_once_or_at_the_end_or_never(mode: Mode, running: bool, over: bool) -> None:
    session = sitting("s1", *CASES, mode=mode)
    assert (session.told, replace(session, ended_at=NOON).told) == (running, over)


def test_time_runs_from_the_start() -> None:
    session = sitting("s1", *CASES, limit_s=60.0)
    assert session.elapsed_s(NOON + timedelta(seconds=12.5)) == 12.5
    assert session.left_s(NOON + timedelta(seconds=12.5)) == 47.5
    assert session.left_s(NOON + timedelta(hours=1)) == 0.0
    assert sitting("s2", *CASES).left_s(NOON + timedelta(hours=1)) is None


def test_a_clock_that_is_put_back_gives_no_time_back() -> None:
    session = sitting("s1", *CASES, limit_s=60.0)
    before_the_start = NOON - timedelta(hours=1)
    assert (session.elapsed_s(before_the_start), session.left_s(before_the_start)) == (0.0, 60.0)
    late = read(session, named(), at=NOON + timedelta(seconds=50))
    assert (late.elapsed_s(before_the_start), late.left_s(before_the_start)) == (50.0, 10.0)
    assert late.left_s(NOON + timedelta(seconds=55)) == 5.0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada", "Ada"),
        ("  Ada \t  Lovelace\n", "Ada Lovelace"),
        ("Dr. O'Neil-Smith 2", "Dr. O'Neil-Smith 2"),
        ("Dr. O\u2019Neil", "Dr. O\u2019Neil"),
        ("漢字", "漢字"),
        ("आशा", "आशा"),
        (unicodedata.normalize("NFD", "Zoë Müller"), "Zoë Müller"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_name_is_tidied(text: str, name: str) -> None:
    assert reader_name(text) == name


@pytest.mark.parametrize(
    "text",
    ["", "   ", "7up", "_x", "-x", ".x", "x" * 41, "<b>x</b>", "a/b", "a\x00b", "a\u202eb", "x;", "🫁", "\u0301x"],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        reader_name(text)
    assert str(caught.value) == ("A reader's name has 1 to 40 letters, digits, spaces or .'- and begins with a letter.")

"""Keys and buttons to answers."""

from __future__ import annotations

import pytest

from synth.errors import RequestError
from synth.reading.answers import (
    Change,
    ChangesSeen,
    Direction,
    FindingsChosen,
    FreeReport,
    RealOrSynthetic,
    SeverityOrder,
    Shape,
    Task,
    placed,
)
from synth.reading.drafts import Draft, again, answer_of, keys, pressed, rated
from synth.reading.items import Item, Truth
from synth.types import Finding

SIZE = (256, 256)
OPTIONS = ("mass", "nodule", "pleural_effusion")


def item(task: Task, **changes: object) -> Item:
    told = {
        Task.REAL_OR_SYNTHETIC: Truth(synthetic=True),
        Task.CHANGE: Truth(changes=(Change("nodule", Direction.APPEARED),)),
        Task.SEVERITY: Truth(severities=(2, 1, 3)),
    }
    count = {Task.CHANGE: 2, Task.SEVERITY: 3}.get(task, 1)
    options = OPTIONS if task in (Task.FINDINGS, Task.CHANGE) else ()
    return Item("a1b2c3d4e5", task, tuple(f"p{n}" for n in range(count)), told.get(task, Truth()), options, **changes)  # type: ignore[arg-type]


def typed(task: Task, *pressed_keys: str) -> Draft:
    draft = Draft("a1b2c3d4e5")
    for key in pressed_keys:
        draft = pressed(draft, key, item(task))
    return draft


def answer(task: Task, *pressed_keys: str) -> object:
    return answer_of(typed(task, *pressed_keys), item(task), None, SIZE)


def test_the_last_score_counts() -> None:
    assert answer(Task.REAL_OR_SYNTHETIC, "2", "5") == RealOrSynthetic(5)


def test_findings_are_chosen_and_taken_back_and_exclude_normal() -> None:
    assert answer(Task.FINDINGS, "1", "3", "1") == FindingsChosen((Finding("pleural_effusion"),))
    assert answer(Task.FINDINGS, "1", "n") == FindingsChosen(normal=True)
    assert answer(Task.FINDINGS, "n", "2") == FindingsChosen((Finding("nodule"),))


def test_each_press_of_a_change_turns_its_direction_and_the_fifth_takes_it_back() -> None:
    assert answer(Task.CHANGE, "2", "2") == ChangesSeen((Change("nodule", Direction.RESOLVED),))
    assert typed(Task.CHANGE, *"22222").changes == ()
    assert answer(Task.CHANGE, "n") == ChangesSeen()


def test_pictures_are_put_in_order_and_the_last_taken_back() -> None:
    assert answer(Task.SEVERITY, "2", "3", "Backspace", "1", "3") == SeverityOrder((1, 0, 2))


def test_a_mark_is_a_place_unless_no_lesion_is_said() -> None:
    mark = (Shape.POINT, [(9.0, 8.0)])
    assert answer_of(Draft("x"), item(Task.WHERE), mark, SIZE) == placed(Shape.POINT, [(9.0, 8.0)], *SIZE)
    assert answer_of(typed(Task.WHERE, "n"), item(Task.WHERE), mark, SIZE) == placed(Shape.NONE, [], *SIZE)


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        (Task.REAL_OR_SYNTHETIC, "No score is chosen; press 1 (surely real) to 6 (surely synthetic)."),
        (Task.FINDINGS, "Nothing is chosen; choose at least one finding, or normal."),
        (Task.WHERE, "Nothing is marked; mark the lesion, or say that there is none."),
        (Task.REPORT, "The report is empty; write at least 'Normal.'"),
        (Task.CHANGE, "Nothing is chosen; choose what changed, or that nothing did."),
        (Task.SEVERITY, "The order lacks 3 of 3 pictures; name all, mildest first."),
    ],
)
def test_an_empty_answer_is_refused_in_one_sentence(task: Task, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        answer(task)
    assert str(caught.value) == sentence


def test_a_key_without_a_meaning_changes_nothing() -> None:
    assert typed(Task.FINDINGS, "9", "z", "Enter") == Draft("a1b2c3d4e5")
    assert typed(Task.REPORT, "1", "n") == Draft("a1b2c3d4e5")


def test_while_the_confidence_is_asked_only_it_and_the_way_back_are_heard() -> None:
    draft = Draft("a1b2c3d4e5", codes=("mass",), asking=True)
    assert pressed(draft, "2", item(Task.FINDINGS)) == draft
    assert pressed(draft, "Backspace", item(Task.FINDINGS)) == Draft("a1b2c3d4e5", codes=("mass",))


def test_no_option_has_the_key_of_another() -> None:
    assert keys(item(Task.FINDINGS), rated=False) == ("1", "2", "3", "n", "Enter")
    assert keys(item(Task.FINDINGS), rated=True) == ("1", "2", "3", "n", "Enter", "4", "5", "6", "Backspace")
    assert keys(item(Task.REAL_OR_SYNTHETIC), rated=True) == ("1", "2", "3", "4", "5", "6", "Enter")


@pytest.mark.parametrize(
    ("task", "given"),
    [
        (Task.REAL_OR_SYNTHETIC, RealOrSynthetic(4)),
        (Task.FINDINGS, FindingsChosen((Finding("mass"), Finding("nodule")))),
        (Task.FINDINGS, FindingsChosen(normal=True)),
        (Task.REPORT, FreeReport("Left effusion.")),
        (Task.CHANGE, ChangesSeen((Change("mass", Direction.LARGER),))),
        (Task.CHANGE, ChangesSeen()),
        (Task.SEVERITY, SeverityOrder((2, 0, 1))),
    ],
)
def test_an_answer_that_is_looked_at_again_stands_in_the_draft(task: Task, given: object) -> None:
    assert answer_of(again(given, item(task)), item(task), None, SIZE) == given  # type: ignore[arg-type]


def test_a_confidence_joins_the_answer_but_a_score_is_one_already() -> None:
    assert rated(FreeReport("Normal."), 5) == FreeReport("Normal.", 5)
    assert rated(RealOrSynthetic(2), 5) == RealOrSynthetic(2)

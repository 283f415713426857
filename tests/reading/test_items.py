"""Items, truths and answers: what is refused, in a sentence, and what a store gets back unchanged."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.reading.answers import (
    Change,
    ChangesSeen,
    Direction,
    FindingsChosen,
    FreeReport,
    Place,
    RealOrSynthetic,
    SeverityOrder,
    Shape,
    Task,
    answer_from_json,
    answer_to_json,
    placed,
    task_of,
)
from synth.reading.items import Item, Truth, check, opaque_id
from synth.reading.shapes import clipped, filled, from_runs, outlined_px, to_runs
from synth.types import Finding, Severity, Side, Zone

PNEUMONIA = Finding("pneumonia", Side.RIGHT, Zone.LOWER, Severity.MILD)
ID = opaque_id("secret", "one")


def square():
    area = np.zeros((64, 64), bool)
    area[20:30, 40:50] = True
    return area


def item(task, truth=None, pictures=("p1",), **more):
    return Item(ID, task, pictures, truth or Truth((PNEUMONIA,), area=square()), **more)


ITEMS = [
    item(Task.REAL_OR_SYNTHETIC, Truth(synthetic=True)),
    item(Task.FINDINGS, options=("pneumonia", "pneumothorax"), case="base-7"),
    item(Task.WHERE),
    item(Task.WHERE, Truth((PNEUMONIA,), boxes=np.array([[1, 2, 30, 40.5]]))),
    item(Task.REPORT, Truth()),
    item(Task.CHANGE, Truth(changes=(Change("edema", Direction.LARGER),)), ("before", "after")),
    item(Task.SEVERITY, Truth((PNEUMONIA,), severities=(3, 1, 1)), ("a", "b", "c")),
]

ANSWERS = [
    RealOrSynthetic(1),
    FindingsChosen((PNEUMONIA, Finding("edema")), confidence=6),
    FindingsChosen(normal=True),
    placed(Shape.POINT, [(3.5, 4)], 64, 64, 2),
    placed(Shape.BOX, [(1, 2), (30, 40)], 64, 64),
    placed(Shape.OUTLINE, [(1, 2), (30, 2), (30, 40.25)], 64, 64),
    placed(Shape.NONE, [], 64, 64),
    FreeReport("Übersicht: normal.\nNo effusion."),
    ChangesSeen((Change("edema", Direction.RESOLVED),)),
    ChangesSeen(),
    SeverityOrder((2, 0, 1), 3),
]


@pytest.mark.parametrize("case", ITEMS, ids=lambda case: case.task.value)
def test_an_item_comes_back_from_the_store_as_it_went(case):
    back = Item.from_json(case.to_json())
    assert back.to_json() == case.to_json()
    assert (back.id, back.task, back.pictures, back.options, back.same_case) == (
        case.id, case.task, case.pictures, case.options, case.same_case
    )  # fmt: skip
    assert back.truth.findings == case.truth.findings
    for name in ("area", "boxes"):
        np.testing.assert_array_equal(getattr(back.truth, name), getattr(case.truth, name))


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_an_answer_comes_back_from_the_store_as_it_went(answer):
    text = answer_to_json(answer)
    assert answer_from_json(text) == answer
    assert answer_to_json(answer_from_json(text)) == text


def test_each_task_has_its_kind_of_answer():
    assert {task_of(answer) for answer in ANSWERS} == set(Task)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"task":"where"}', '{"task":"other"}', '{"score":9,"task":"real_or_synthetic"}',
     '{"score":true,"task":"real_or_synthetic"}', '{"score":1,"extra":2,"task":"real_or_synthetic"}',
     '{"order":[0,Infinity],"task":"severity"}', '{"findings":[{"code":"sunburn"}],"task":"findings"}',
     '{"findings":[3],"task":"findings"}'],
)  # fmt: skip
def test_a_broken_answer_is_refused(text):
    with pytest.raises(RequestError):
        answer_from_json(text)


@pytest.mark.parametrize("text", ["", "null", "{}", '{"id":"abcdefgh","task":"where","pictures":["p"],"truth":3}'])
def test_a_broken_item_is_refused(text):
    with pytest.raises(RequestError, match="stored item cannot be read"):
        Item.from_json(text)


@pytest.mark.parametrize("score", [0, 7, -1, 3.5, True, math.nan])
def test_a_score_outside_the_scale_is_refused(score):
    with pytest.raises(RequestError, match=r"Score is .*; it must be a whole number from 1 to 6"):
        RealOrSynthetic(score)


def test_the_scale_has_no_middle_and_its_ends_are_sure():
    assert [RealOrSynthetic(score).synthetic for score in range(1, 7)] == [False] * 3 + [True] * 3
    assert [RealOrSynthetic(score).confidence for score in range(1, 7)] == [6, 4, 2, 2, 4, 6]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FindingsChosen(), "Nothing is chosen; choose at least one finding, or normal"),
        (lambda: FindingsChosen((PNEUMONIA,), normal=True), "Normal is chosen together with pneumonia"),
        (lambda: FindingsChosen((PNEUMONIA, PNEUMONIA)), "chosen twice"),
        (lambda: FindingsChosen((Finding("sunburn"),)), "'sunburn' is not known"),
        (lambda: FindingsChosen(normal=True, confidence=7), "Confidence is 7"),
        (lambda: FreeReport(" \n"), "report is empty"),
        (lambda: FreeReport("x" * 2001), "2001 characters; at most 2000"),
        (lambda: ChangesSeen((Change("edema", Direction.LARGER), Change("edema", Direction.SMALLER))), "named twice"),
        (lambda: Change("sunburn", Direction.LARGER), "'sunburn' is not known"),
        (lambda: SeverityOrder((0, 0, 1)), r"order is \[0, 0, 1\]; it must name each picture once"),
        (lambda: SeverityOrder(()), "must name each picture once"),
        (lambda: placed(Shape.OUTLINE, [(1, 1), (2, 2)], 64, 64), "has 2 corners; it needs 3 to"),
        (lambda: placed(Shape.OUTLINE, [(1, 1), (9, 9), (20, 20)], 64, 64), "encloses no area"),
        (lambda: placed(Shape.BOX, [(5, 5), (5, 20)], 64, 64), "encloses no area"),
        (lambda: placed(Shape.BOX, [(70, 70), (90, 90)], 64, 64), "outside the picture of 64 x 64 px"),
        (lambda: placed(Shape.OUTLINE, [(-9, 1), (-1, 1), (-1, 9)], 64, 64), "outside the picture"),
        (lambda: placed(Shape.POINT, [(64.5, 3)], 64, 64), "outside the picture"),
        (lambda: placed(Shape.POINT, [(math.nan, 3)], 64, 64), "no number"),
        (lambda: placed(Shape.NONE, [(3, 3)], 64, 64), "has 1 corners; it needs 0"),
        (lambda: placed(Shape.POINT, [(0, 0)], 0, 64), "picture is 0 x 64 px"),
        (lambda: Place(Shape.POINT, ((99.0, 1.0),), 64, 64), "leaves the picture"),
    ],
)  # fmt: skip
def test_an_impossible_answer_is_refused_in_a_sentence(make, message):
    with pytest.raises(RequestError, match=message):
        make()


def test_what_is_drawn_beyond_the_border_is_cut_to_the_picture():
    box = placed(Shape.BOX, [(50, 70), (-3, 20)], 64, 64)
    assert box.points == ((0.0, 20.0), (50.0, 64.0))
    outline = placed(Shape.OUTLINE, [(-10, 10), (10, 10), (10, 20), (-10, 20)], 64, 64)
    assert set(outline.points) == {(0.0, 10.0), (10.0, 10.0), (10.0, 20.0), (0.0, 20.0)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Item("patient-normal-7", Task.FINDINGS, ("p",), Truth()), "is not opaque"),
        (lambda: Item("short", Task.FINDINGS, ("p",), Truth()), "is not opaque"),
        (lambda: item(Task.FINDINGS, pictures=()), "has 0 pictures; it needs 1"),
        (lambda: item(Task.FINDINGS, pictures=("",)), "no id"),
        (lambda: item(Task.CHANGE), "has 1 pictures; it needs 2"),
        (lambda: item(Task.REAL_OR_SYNTHETIC), "does not say which it is"),
        (lambda: item(Task.WHERE, Truth((PNEUMONIA,))), "names a finding but no place"),
        (lambda: item(Task.WHERE, Truth(area=square())), "but no finding"),
        (lambda: item(Task.SEVERITY, Truth(severities=(1, 1)), ("a", "b")), "at least two that differ"),
        (lambda: item(Task.SEVERITY, Truth(severities=(1, 2)), ("a", "b", "c")), "for 3 pictures"),
        (lambda: item(Task.FINDINGS, options=("edema",)), "names pneumonia, which the options do not offer"),
        (lambda: item(Task.CHANGE, ITEMS[5].truth, ("a", "b"), options=("mass",)), "names edema, which the options"),
        (lambda: item(Task.FINDINGS, options=("sunburn",)), "'sunburn' is not known"),
        (lambda: Truth((Finding("sunburn"),)), "'sunburn' is not known"),
        (lambda: Truth(boxes=np.array([[5, 5, 5, 9]])), "no extent"),
        (lambda: Truth(area=np.zeros(4, bool)), "1 axes"),
    ],
)
def test_an_item_that_cannot_be_read_is_refused(make, message):
    with pytest.raises(RequestError, match=message):
        make()


@pytest.mark.parametrize(
    ("case", "answer", "message"),
    [
        (item(Task.WHERE), RealOrSynthetic(3), "one to 'real_or_synthetic'; this case asks 'where'"),
        (item(Task.WHERE), placed(Shape.POINT, [(1, 1)], 32, 64), "32 x 64 px; this case is 64 x 64 px"),
        (item(Task.FINDINGS, options=("pneumonia",)), FindingsChosen((Finding("edema"),)), "'edema' is not offered"),
        (ITEMS[-1], SeverityOrder((0, 1)), "names 2 pictures; this case has 3"),
    ],
)
def test_an_answer_to_another_case_is_refused(case, answer, message):
    with pytest.raises(RequestError, match=message):
        check(case, answer)


def test_a_truth_keeps_its_own_mask():
    area = square()
    truth = Truth((PNEUMONIA,), area=area)
    area[:] = False
    assert truth.area.sum() == 100
    with pytest.raises(ValueError):
        truth.area[0, 0] = True


def test_an_opaque_id_depends_on_every_part_and_shows_none():
    ids = {opaque_id("s", "ab", "c"), opaque_id("s", "a", "bc"), opaque_id("t", "ab", "c")}
    assert len(ids) == 3
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in ids)


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)))
def test_every_mask_comes_back_from_its_runs(area):
    np.testing.assert_array_equal(from_runs(to_runs(area)), area)


@pytest.mark.parametrize("data", [{"shape": [2, 2], "runs": [3]}, {"shape": [2, 2], "runs": [5, -1]},
                                  {"shape": [0, 2], "runs": []}, {"shape": [9999, 1], "runs": [9999]}])  # fmt: skip
def test_runs_that_do_not_fill_their_picture_are_refused(data):
    with pytest.raises(RequestError):
        from_runs(data)


COORDINATES = st.floats(-100, 200, allow_nan=False).map(lambda value: round(value, 2))
CORNERS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9)


def on_the_line(corners):
    """Pixels of 64 x 64 whose centre lies on an edge, where rounding decides."""
    y, x = np.mgrid[:64, :64] + 0.5
    near = np.zeros((64, 64), bool)
    for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]]):
        across = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
        near |= np.abs(across) <= 1e-6 * (1 + np.hypot(x1 - x0, y1 - y0))
    return near


@settings(deadline=None)
@given(CORNERS)
def test_a_cut_outline_covers_what_was_drawn_on_the_picture(corners):
    whole = filled([(x + 100, y + 100) for x, y in corners], 300, 300)[100:164, 100:164]
    cut = clipped(corners, 64, 64)
    assert all(0 <= x <= 64 and 0 <= y <= 64 for x, y in cut)
    drawn = filled(cut, 64, 64)
    if outlined_px(cut) > 0:  # a figure of eight may have no net area
        assert not ((drawn != whole) & ~on_the_line(corners)).any()


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(VOCABULARY)), st.sampled_from([None, *Side]), st.sampled_from([None, *Zone]))
def test_every_finding_comes_back_from_the_store(code, side, zone):
    answer = FindingsChosen((Finding(code, side, zone),))
    assert answer_from_json(answer_to_json(answer)) == answer

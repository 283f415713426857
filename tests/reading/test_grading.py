"""The grade of each task by hand-made answers: right, partly right, wrong, and what is said about it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from synth.errors import PolicyError, RequestError
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
from synth.reading.grading import DICE_HIT, TOLERANCE, Grade, grade
from synth.reading.items import Item, Truth, opaque_id
from synth.reading.matching import Match, Outcome
from synth.types import Finding, Side, Zone

ID = opaque_id("secret", "two")
RIGHT_BASE = Finding("pneumonia", Side.RIGHT, Zone.LOWER)
EFFUSION = Finding("pleural_effusion", Side.LEFT)


def graded(task, truth, answer, pictures=("p",), options=()):
    return grade(Item(ID, task, pictures, truth, options), answer)


# Real or synthetic


@pytest.mark.parametrize("score", range(1, 7))
def test_a_rating_is_right_on_its_side_of_the_scale(score):
    grades = {synthetic: graded(Task.REAL_OR_SYNTHETIC, Truth(synthetic=synthetic), RealOrSynthetic(score))
              for synthetic in (True, False)}  # fmt: skip
    assert (grades[True].correct, grades[False].correct) == (score > 3, score <= 3)
    assert grades[True].score + grades[False].score == 1
    assert grades[True].measure("confidence") == {1: 6, 2: 4, 3: 2, 4: 2, 5: 4, 6: 6}[score]


def test_sure_and_wrong_is_worse_than_a_wrong_guess():
    truth = Truth(synthetic=True)
    sure, guess = (graded(Task.REAL_OR_SYNTHETIC, truth, RealOrSynthetic(score)) for score in (1, 3))
    assert (sure.measure("brier"), guess.measure("brier")) == (1.0, pytest.approx(0.36))


# Which findings


def chosen(truth, *findings, options=()):
    answer = FindingsChosen(findings, normal=not findings)
    return graded(Task.FINDINGS, Truth(tuple(truth)), answer, options=options)


@pytest.mark.parametrize(
    ("truth", "findings", "score", "correct"),
    [
        ([], [], 1, True),
        ([], [RIGHT_BASE], 0, False),
        ([RIGHT_BASE], [], 0, False),
        ([RIGHT_BASE], [RIGHT_BASE], 1, True),
        ([RIGHT_BASE], [Finding("pneumonia")], 1, True),  # the side is not asked for
        ([RIGHT_BASE], [Finding("pneumonia", Side.LEFT)], 0.5, False),
        ([RIGHT_BASE], [Finding("pneumonia", Side.BOTH)], 0.75, False),
        ([RIGHT_BASE], [Finding("pneumonia", Side.RIGHT, Zone.UPPER)], 0.75, False),
        ([RIGHT_BASE], [Finding("consolidation", Side.RIGHT)], 0.5, False),
        ([RIGHT_BASE], [Finding("pneumothorax")], 0, False),
        ([RIGHT_BASE, EFFUSION], [RIGHT_BASE, EFFUSION], 1, True),
        ([RIGHT_BASE, EFFUSION], [RIGHT_BASE], 2 / 3, False),
        ([RIGHT_BASE], [RIGHT_BASE, EFFUSION], 2 / 3, False),
        ([RIGHT_BASE], [RIGHT_BASE, Finding("consolidation", Side.RIGHT)], 1, True),  # the same shadow named twice
        ([RIGHT_BASE, Finding("nodule")], [Finding("lung_opacity", Side.RIGHT)], 2 * 0.5 / 3, False),  # finds one only
    ],
)  # fmt: skip
def test_a_choice_of_findings_scores(truth, findings, score, correct):
    done = chosen(truth, *findings)
    assert (done.score, done.correct) == (pytest.approx(score), correct)


def test_a_choice_is_told_finding_by_finding():
    done = chosen([RIGHT_BASE, EFFUSION, Finding("cardiomegaly")],
                  Finding("consolidation", Side.LEFT), Finding("cardiomegaly"), Finding("pneumothorax"))  # fmt: skip
    assert {outcome: done.codes(outcome) for outcome in Outcome} == {
        Outcome.FOUND: ("cardiomegaly",),
        Outcome.PARTLY: ("pneumonia",),
        Outcome.MISSED: ("pleural_effusion",),
        Outcome.OVER_CALLED: ("pneumothorax",),
    }
    assert [v.side for v in done.verdicts if v.code == "pneumonia"] == [Match.WRONG]
    assert [v.named for v in done.verdicts if v.code == "pneumonia"] == ["consolidation"]


def test_left_and_right_named_apart_make_both_sides():
    both = Finding("pleural_effusion", Side.BOTH)
    done = chosen([both], EFFUSION, Finding("pleural_effusion", Side.RIGHT))
    assert (done.score, done.correct) == (1.0, True)


# Where


def lesions(*boxes, size=100):
    area = np.zeros((size, size), bool)
    for left, top, right, bottom in boxes:
        area[top:bottom, left:right] = True
    return Truth((RIGHT_BASE,), area=area)


ONE = lesions((20, 30, 40, 60))


def where(truth, shape, *points, size=100):
    return graded(Task.WHERE, truth, placed(shape, points, size, size))


@pytest.mark.parametrize(
    ("point", "hit"),
    [((30, 45), True), ((20, 30), True), ((39.9, 59.9), True), ((42.5, 45), True), ((44, 45), False), ((9, 9), False)],
)  # fmt: skip
def test_a_point_hits_the_lesion_or_its_near_surroundings(point, hit):
    done = where(ONE, Shape.POINT, point)
    assert (done.correct, done.score, done.measure("hit")) == (hit, float(hit), float(hit))
    assert pytest.approx(3) == TOLERANCE * 100


def test_a_point_on_the_far_border_is_on_the_picture():
    assert where(lesions((90, 90, 100, 100)), Shape.POINT, (100, 100)).correct


def test_a_box_scores_its_overlap():
    done = where(ONE, Shape.BOX, (20, 30), (40, 60))
    assert (done.score, done.correct, done.measure("dice")) == (1.0, True, 1.0)
    half = where(ONE, Shape.BOX, (20, 30), (40, 45))
    assert (half.score, half.correct, half.measure("dice")) == (0.5, True, pytest.approx(2 / 3))
    beside = where(ONE, Shape.BOX, (60, 30), (80, 60))
    assert (beside.score, beside.correct, beside.measure("hit")) == (0.0, False, 0.0)


def test_an_outline_scores_its_dice():
    done = where(ONE, Shape.OUTLINE, (20, 30), (40, 30), (40, 60), (20, 60))
    assert (done.score, done.correct) == (1.0, True)
    triangle = where(ONE, Shape.OUTLINE, (20, 30), (40, 30), (40, 60))
    assert triangle.score == pytest.approx(2 / 3, abs=0.02)
    assert triangle.correct is (triangle.score >= DICE_HIT) is False


def test_of_several_lesions_the_one_marked_counts():
    two = lesions((10, 10, 20, 20), (70, 70, 90, 90))
    assert where(two, Shape.BOX, (70, 70), (90, 90)).score == 1.0
    assert where(two, Shape.POINT, (15, 15)).correct
    assert where(two, Shape.BOX, (10, 10), (90, 90)).score == 1.0  # one box around both


def test_boxes_of_a_real_case_serve_as_well_as_a_mask():
    truth = Truth((RIGHT_BASE,), boxes=np.array([[20.0, 30, 40, 60]]))
    assert where(truth, Shape.POINT, (30, 45)).correct
    assert where(truth, Shape.BOX, (20, 30), (40, 60)).score == 1.0
    assert where(truth, Shape.OUTLINE, (20, 30), (40, 30), (40, 60), (20, 60)).score == 1.0


def test_boxes_beside_the_picture_are_told():
    truth = Truth((RIGHT_BASE,), boxes=np.array([[200.0, 30, 240, 60]]))
    with pytest.raises(RequestError, match="No lesion box of this case lies on its picture of 100 x 100 px"):
        where(truth, Shape.POINT, (30, 45))


@pytest.mark.parametrize(("truth", "none", "point"), [(Truth(), 1.0, 0.0), (ONE, 0.0, 1.0)])
def test_without_a_lesion_only_none_is_right(truth, none, point):
    assert where(truth, Shape.NONE).score == none
    assert where(truth, Shape.POINT, (30, 45)).score == point


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=3, max_size=8))
def test_any_outline_scores_between_0_and_1(points):
    try:
        done = where(ONE, Shape.OUTLINE, *points)
    except RequestError:
        return
    assert 0 <= done.score <= 1
    assert Grade.from_json(done.to_json()) == done


# Report


def test_a_report_is_graded_within_the_options():
    truth = Truth((RIGHT_BASE,))
    options = ("pneumonia", "pleural_effusion", "pneumothorax")
    done = graded(Task.REPORT, truth, FreeReport("RLL pneumonia. No effusion. Scoliosis."), options=options)
    assert (done.score, done.correct, done.spared, done.unjudged) == (1.0, True, ("pleural_effusion",), ("scoliosis",))


def test_a_report_that_names_a_person_gets_no_grade():
    with pytest.raises(PolicyError):
        graded(Task.REPORT, Truth(), FreeReport("Mr John Smith has a normal chest."))


# What changed

LARGER, APPEARED = Change("pleural_effusion", Direction.LARGER), Change("edema", Direction.APPEARED)


@pytest.mark.parametrize(
    ("truth", "seen", "score"),
    [
        ([], [], 1),
        ([], [LARGER], 0),
        ([LARGER], [], 0),
        ([LARGER], [LARGER], 1),
        ([LARGER], [Change("pleural_effusion", Direction.SMALLER)], 0.5),
        ([LARGER, APPEARED], [LARGER], 2 / 3),
        ([LARGER, APPEARED], [LARGER, APPEARED], 1),
        ([APPEARED], [Change("lung_opacity", Direction.APPEARED)], 0.5),
        ([LARGER], [LARGER, APPEARED], 2 / 3),
    ],
)
def test_changes_score(truth, seen, score):
    done = graded(Task.CHANGE, Truth(changes=tuple(truth)), ChangesSeen(tuple(seen)), ("a", "b"))
    assert (done.score, done.correct) == (pytest.approx(score), score == 1)


# Severity


def ordered(severities, order):
    pictures = tuple(f"p{number}" for number in range(len(severities)))
    return graded(Task.SEVERITY, Truth((RIGHT_BASE,), severities=severities), SeverityOrder(order), pictures)


@pytest.mark.parametrize(
    ("severities", "order", "score", "tau"),
    [
        ((1, 2, 3), (0, 1, 2), 1, 1),
        ((3, 1, 2), (1, 2, 0), 1, 1),
        ((1, 2, 3), (2, 1, 0), 0, -1),
        ((1, 2, 3), (1, 0, 2), 2 / 3, 1 / 3),
        ((1, 1, 2), (1, 0, 2), 1, 1),  # equal ones in either order
        ((1, 1, 2), (0, 2, 1), 0.5, 0),
    ],
)
def test_an_order_scores_its_right_pairs(severities, order, score, tau):
    done = ordered(severities, order)
    assert (done.score, done.measure("tau")) == (pytest.approx(score), pytest.approx(tau))
    assert done.correct is (score == 1)


@given(st.permutations(range(5)), st.permutations(range(5)))
def test_the_order_of_distinct_severities_is_kendalls_tau(severities, order):
    position = [order.index(picture) for picture in range(5)]
    wanted = kendalltau(severities, position).statistic
    assert ordered(tuple(severities), tuple(order)).measure("tau") == pytest.approx(wanted)


# All


def test_a_grade_comes_back_from_the_store_as_it_went():
    done = chosen([RIGHT_BASE, EFFUSION], Finding("consolidation", Side.LEFT), Finding("pneumothorax"))
    assert Grade.from_json(done.to_json()) == done


@pytest.mark.parametrize("text", ["", "{}", "null", '{"verdicts":[{}],"measures":[],"spared":[],"unjudged":[]}'])
def test_a_broken_grade_is_refused(text):
    with pytest.raises(RequestError, match="stored grade cannot be read"):
        Grade.from_json(text)


def test_an_answer_to_another_task_gets_no_grade():
    with pytest.raises(RequestError, match="this case asks 'findings'"):
        graded(Task.FINDINGS, Truth(), RealOrSynthetic(2))

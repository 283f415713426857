"""What radiologists say, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import PolicyError, RequestError
from synth.governance.release import Fitness
from synth.governance.reviews import (
    Artefact,
    Judged,
    Outcome,
    Presence,
    Review,
    Verdict,
    outcome,
    pairs,
    require_review,
    said_blind,
)
from synth.prompts import guard
from synth.types import Finding, Side

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ASKED = (Finding("nodule", Side.RIGHT),)
EVERYTHING = frozenset(Fitness)


def said(reader: str = "rhea", **changes: Any) -> Review:
    everything = {"judged": (Judged("nodule", Presence.YES),), "fit": EVERYTHING} | changes
    return Review("i", reader, AT, "tiny", "1", **{"realism": 4} | everything)


@pytest.mark.parametrize(
    ("changes", "stands"),
    [
        ({}, True),
        ({"artefacts": frozenset({Artefact.GRID, Artefact.SEAM})}, True),
        ({"realism": 3}, True),
        ({"realism": 2}, False),
        ({"fit": frozenset()}, False),
        ({"others": ("pneumothorax",)}, False),
        ({"artefacts": frozenset({Artefact.ANATOMY})}, False),
        ({"judged": (Judged("nodule", Presence.UNCERTAIN),)}, False),
        ({"judged": (Judged("nodule", Presence.NO),)}, False),
        ({"judged": (Judged("nodule", Presence.YES, ((0.2, 0.3),)),)}, True),  # the patient's right lies left
        ({"judged": (Judged("nodule", Presence.YES, ((0.6, 0.3), (0.9, 0.5))),)}, False),
    ],
)
def test_an_image_stands_when_it_is_plausible_as_stated_and_fit_for_something(changes: dict, stands: bool) -> None:
    assert said(**changes).stands(ASKED) is stands


def test_one_reader_decides_alone() -> None:
    assert outcome([], ASKED, False) == Outcome(Verdict.OPEN)
    assert outcome([said()], ASKED, False) == Outcome(Verdict.PASSED, EVERYTHING)
    assert outcome([said(realism=1)], ASKED, False) == Outcome(Verdict.FAILED, frozenset())
    assert outcome([said(), said("remy", realism=1)], ASKED, False) == Outcome(Verdict.PASSED, EVERYTHING)


def test_two_readers_agree_or_a_third_adjudicates() -> None:
    exam = frozenset({Fitness.EXAM})
    bad = said("remy", realism=1)
    assert outcome([said()], ASKED, True) == Outcome(Verdict.SECOND)
    assert outcome([said(), said("remy", fit=exam)], ASKED, True) == Outcome(Verdict.PASSED, exam)
    assert outcome([said(), bad], ASKED, True) == Outcome(Verdict.DISPUTED)
    assert outcome([said(fit=exam), said("remy", fit=EVERYTHING - exam)], ASKED, True) == Outcome(Verdict.DISPUTED)
    assert outcome([said(realism=2), bad], ASKED, True) == Outcome(Verdict.FAILED, frozenset())
    third = said("rose", adjudicates=True, fit=exam)
    assert outcome([said(), bad, third], ASKED, True) == Outcome(Verdict.PASSED, exam)
    assert outcome([said(), bad, replace(third, realism=1)], ASKED, True) == Outcome(Verdict.FAILED, frozenset())


@given(
    st.lists(st.tuples(st.booleans(), st.frozensets(st.sampled_from(Fitness)), st.booleans()), max_size=4),
    st.booleans(),
)
def test_nothing_is_validated_that_no_reader_signs_and_for_nothing_that_he_does_not_name(
    opinions: list[tuple[bool, frozenset[Fitness], bool]], two: bool
) -> None:
    reviews = [
        said(f"r{number}", realism=4 if good else 1, fit=fit, adjudicates=number > 1 and third)
        for number, (good, fit, third) in enumerate(opinions)
    ]
    reached = outcome(reviews, ASKED, two)
    if reached.verdict is Verdict.PASSED:
        signing = [review for review in reviews if review.stands(ASKED)]
        assert signing and reached.fit and any(reached.fit <= review.fit for review in signing)
        assert not two or len(signing) > 1 or any(review.adjudicates for review in signing)
    else:
        assert reached.fit in (None, frozenset())


def test_what_a_blind_reader_saw_is_set_against_the_request() -> None:
    asked = (Finding("nodule"), Finding("pleural_effusion"), Finding("cardiomegaly"))
    places = {"nodule": ((0.1, 0.2),), "pneumothorax": ((0.5, 0.5),)}
    judged, others = said_blind(asked, ("nodule", "pneumothorax"), ("pleural_effusion",), places)
    assert judged == (
        Judged("nodule", Presence.YES, ((0.1, 0.2),)),
        Judged("pleural_effusion", Presence.UNCERTAIN),
        Judged("cardiomegaly", Presence.NO),
    )
    assert others == ("pneumothorax",)


def test_a_review_comes_back_from_its_json() -> None:
    whole = said(
        judged=(Judged("nodule", Presence.YES, ((0.25, 0.5), (0.5, 0.75))),),
        others=("pneumothorax",),
        artefacts=frozenset({Artefact.GRID, Artefact.OTHER}),
        comment="Rib 4 ends early",
        blind=False,
        seconds=31.5,
        adjudicates=True,
    )
    outside = {"image": "i", "reader": "rhea", "at": AT, "model": "tiny", "revision": "1", "adjudicates": True}
    assert Review.from_json(whole.to_json(), **outside) == whole


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"realism": 0}, "Realism is 0; it must lie between 1 and 5."),
        ({"realism": 6}, "Realism is 6; it must lie between 1 and 5."),
        ({"comment": "x" * 1001}, "The comment has 1001 characters; at most 1000 are kept."),
        ({"others": ("gout",)}, "The finding 'gout' is not known; choose one of the "),
    ],
)
def test_what_cannot_be_is_refused(changes: dict, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        said(**changes)
    assert str(refused.value).startswith(sentence)


def test_a_place_lies_inside_the_image() -> None:
    with pytest.raises(RequestError, match=r"^A place is a point or a box inside the image\.$"):
        Judged("nodule", Presence.YES, ((0.5, 1.5),))


def test_a_review_speaks_of_what_was_asked_for_and_names_nobody() -> None:
    require_review(said(), ASKED, guard)
    with pytest.raises(RequestError, match="of each finding asked for"):
        require_review(said(judged=()), ASKED, guard)
    with pytest.raises(PolicyError):
        require_review(said(comment="as in Mr. John Miller"), ASKED, guard)


def test_pairs_are_the_first_two_independent_reviews_of_an_image() -> None:
    first, second, third = said("rhea"), said("remy"), said("rose", adjudicates=True)
    alone = replace(said("rhea"), image="other")
    assert pairs([first, alone, second, third]) == [(first, second)]

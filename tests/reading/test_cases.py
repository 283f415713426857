"""Recipes, entries and case sets: what comes back from their JSON, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.reading.answers import Task
from synth.reading.cases import CORNERS_MAX, TITLE_MAX, WORDS_MAX, Case, CaseSet, Entry, Recipe, Standing
from synth.reading.items import Truth
from synth.types import SAMPLERS, Edit, Finding, GenerationRequest, Modality, Severity, Side, View, Zone

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
findings = st.builds(
    Finding,
    st.sampled_from(sorted(VOCABULARY)),
    st.none() | st.sampled_from(Side),
    st.none() | st.sampled_from(Zone),
    st.none() | st.sampled_from(Severity),
)
requests = st.builds(
    GenerationRequest,
    modality=st.sampled_from(Modality),
    view=st.none() | st.sampled_from(View),
    age=st.none() | st.integers(0, 120),
    findings=st.lists(findings, max_size=3).map(tuple),
    note=words,
    seed=st.integers(0, 2**32 - 1),
    guidance=st.floats(0, 15),
    sampler=st.sampled_from(SAMPLERS),
)
shares = st.floats(0, 1) | st.sampled_from((0, 1))
outlines = st.lists(st.tuples(shares, shares), min_size=3, max_size=CORNERS_MAX).map(tuple)
seeds = st.integers(0, 2**32 - 1)
recipes = st.builds(Recipe, requests, seed=seeds) | st.builds(Recipe, requests, outlines, findings, seeds)

TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
PLAIN = Recipe(GenerationRequest())


@given(recipes)
def test_a_recipe_comes_back_from_its_json(recipe: Recipe) -> None:
    back = Recipe.from_json(recipe.to_json())
    assert back == recipe
    assert back.findings == recipe.findings
    assert back.request.digest() == recipe.request.digest()
    assert Recipe.from_json(back.to_json()) == back


def test_what_a_case_shows_is_what_was_asked_for_and_what_was_drawn() -> None:
    edema, nodule = Finding("edema"), Finding("nodule", Side.LEFT)
    assert Recipe(GenerationRequest(findings=(edema,)), TRIANGLE, nodule).findings == (edema, nodule)
    assert PLAIN.findings == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"outline": TRIANGLE}, "A recipe draws a finding in an outline: it needs both, or neither."),
        ({"finding": Finding("nodule")}, "A recipe draws a finding in an outline: it needs both, or neither."),
        ({"outline": TRIANGLE[:2], "finding": Finding("nodule")}, "The outline has 2 corners; it needs 3 to 256."),
        ({"outline": TRIANGLE * 86, "finding": Finding("nodule")}, "The outline has 258 corners; it needs 3 to 256."),
        ({"seed": -1}, "Seed is -1; it must lie between 0 and 4294967295."),
        ({"outline": TRIANGLE, "finding": Finding("sunburn")}, f"The finding 'sunburn' is not known; choose one of "
         f"the {len(VOCABULARY)} listed."),
        ({"request": GenerationRequest(edit=Edit("variation", "b", "real:1"))}, "A recipe begins with an image from "
         "text, not with an edit."),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_drawn_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        Recipe(**{"request": GenerationRequest()} | change)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("corner", [(1.01, 0.5), (0.5, -0.01), (math.nan, 0.5), (0.5, math.inf)])
def test_an_outline_that_leaves_the_picture_is_refused(corner: tuple[float, float]) -> None:
    with pytest.raises(RequestError, match=r"^The outline leaves the picture; .* from 0 to 1\.$"):
        Recipe(GenerationRequest(), (*TRIANGLE, corner), Finding("nodule"))


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"request":3}', '{"request":{}}', PLAIN.to_json().replace('"seed":0}', '"seed":"x"}'),
     PLAIN.to_json().replace('"outline":[]', '"outline":[[0]]'), PLAIN.to_json()[:-1] + ',"more":1}',
     PLAIN.to_json().replace('"finding":null', '"finding":{"code":"sunburn"}')],
)  # fmt: skip
def test_a_broken_recipe_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match=r"^[A-Z][^\n]*\.$"):
        Recipe.from_json(text)


@pytest.mark.parametrize("wrong", [{}, {"recipe": PLAIN, "real": "film"}])
def test_an_entry_is_synthetic_or_real_and_never_both(wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"^A case of a set is a synthetic or a real one"):
        Entry("e1", **wrong)


@pytest.mark.parametrize("name", ["history", "teaching"])
def test_the_words_of_an_entry_have_an_end(name: str) -> None:
    assert getattr(Entry("e1", PLAIN, **{name: "x" * WORDS_MAX}), name) == "x" * WORDS_MAX
    with pytest.raises(RequestError, match=r"has 1001 characters; at most 1000 are kept\.$"):
        Entry("e1", PLAIN, **{name: "x" * (WORDS_MAX + 1)})


@pytest.mark.parametrize("title", ["", "   ", "x" * (TITLE_MAX + 1)])
def test_a_set_has_a_title(title: str) -> None:
    with pytest.raises(RequestError, match=r"^The title has \d+ characters; it needs 1 to 80\.$"):
        CaseSet("s", "CODE", title, "Ada")


def test_trainees_meet_only_what_was_approved() -> None:
    entries = tuple(Entry(standing, PLAIN, standing=standing) for standing in Standing)
    assert [entry.id for entry in CaseSet("s", "CODE", "Title", "Ada", entries).approved] == ["approved"]


def test_a_case_is_asked_only_what_it_can_serve_in_the_order_of_the_plan() -> None:
    case = Case("c", ("real:1",), Truth(), (Task.FINDINGS, Task.REAL_OR_SYNTHETIC), "1", "DX")
    asked = case.asked((Task.WHERE, Task.REAL_OR_SYNTHETIC, Task.FINDINGS))
    assert asked.tasks == (Task.REAL_OR_SYNTHETIC, Task.FINDINGS)
    assert case.asked((Task.WHERE,)).tasks == ()

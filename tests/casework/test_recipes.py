"""From an educator's wish to recipes: what is drawn by words, what by hand, whose chest, and what is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth.casework.outlines import LUNG
from synth.casework.recipes import BY_HAND, Wish, drawable, planned, severity_series
from synth.errors import RequestError
from synth.models.cards import read_card
from synth.reading.cases import Recipe
from synth.reading.shapes import box_of, filled
from synth.types import Finding, GenerationRequest, Modality, Severity, Sex, Side, View, Zone

CARD = read_card(Path(__file__).parents[2] / "assets" / "models" / "synthread-256")
FILMS = ("pleural_effusion", "edema", "nodule", "consolidation")


def area_share(recipe: Recipe) -> float:
    return float(filled([(256 * x, 256 * y) for x, y in recipe.outline], 256, 256).mean())


def test_a_wish_becomes_as_many_cases_as_asked_with_the_findings_in_turn() -> None:
    recipes = planned(Wish(FILMS, 20, 8, seed=3), CARD)

    shown = Counter(recipe.findings[0].code if recipe.findings else "normal" for recipe in recipes)
    assert shown == Counter({"normal": 8} | {code: 3 for code in FILMS})
    assert [recipe.findings for recipe in recipes if recipe.findings] != [r.findings for r in recipes][:12]  # mixed


def test_what_has_a_place_is_outlined_on_a_normal_picture_and_the_rest_is_asked_for_in_words() -> None:
    for recipe in planned(Wish(FILMS, 24, 4, seed=1), CARD):
        code = recipe.findings[0].code if recipe.findings else ""
        assert bool(recipe.outline) is (code in BY_HAND[Modality.DX])
        assert recipe.request.model_id == CARD.id
        if recipe.outline:
            assert recipe.request.findings == ()


@pytest.mark.parametrize("modality", [Modality.DX, Modality.CT])
def test_a_lesion_is_outlined_inside_the_lung_that_its_finding_names(modality: Modality) -> None:
    codes = BY_HAND[modality]
    for recipe in planned(Wish(codes, 60, 0, modality=modality, seed=2), CARD):
        assert recipe.finding is not None and recipe.finding.side is not None
        left, top, right, bottom = LUNG[modality, recipe.finding.side, recipe.finding.zone]
        x0, y0, x1, y1 = box_of(recipe.outline)
        assert left - 0.03 < x0 < x1 < right + 0.03 and top - 0.03 < y0 < y1 < bottom + 0.03  # the border wobbles
        assert ((x0 + x1) / 2 < 0.5) is (recipe.finding.side is Side.RIGHT)
        assert 0.0015 < area_share(recipe) < 0.05


def test_a_nodule_is_smaller_than_a_mass() -> None:
    recipes = planned(Wish(("nodule", "mass"), 40, 0), CARD)
    sizes = {code: [area_share(r) for r in recipes if r.findings[0].code == code] for code in ("nodule", "mass")}
    assert max(sizes["nodule"]) < np.median(sizes["mass"])


def test_ages_sexes_and_sides_are_spread_and_views_follow_the_age() -> None:
    recipes = planned(Wish(("nodule",), 40, 0, (20, 85)), CARD)

    ages = sorted(recipe.request.age or 0 for recipe in recipes)
    assert (ages[0], ages[-1]) == (20, 85) and max(np.diff(ages)) <= 2
    assert Counter(recipe.request.sex for recipe in recipes) == {Sex.FEMALE: 20, Sex.MALE: 20}
    assert Counter(recipe.findings[0].side for recipe in recipes) == {Side.LEFT: 20, Side.RIGHT: 20}
    assert {recipe.request.view for recipe in recipes} == {View.PA, View.AP}
    assert {recipe.request.view for recipe in recipes if (recipe.request.age or 0) < 60} == {View.PA}


def test_equal_wishes_give_equal_recipes_and_other_seeds_others() -> None:
    wish = Wish(FILMS, 12, 4, seed=5)
    assert planned(wish, CARD) == planned(wish, CARD)
    assert not {*planned(wish, CARD)} & {*planned(replace(wish, seed=6), CARD)}


def test_every_recipe_survives_the_way_through_the_store() -> None:
    recipes = planned(Wish(drawable(CARD, Modality.DX), 30, 5), CARD)
    assert [Recipe.from_json(recipe.to_json()) for recipe in recipes] == recipes


def test_a_slice_has_no_zone_and_is_axial() -> None:
    for recipe in planned(Wish(("ground_glass_opacity", "covid_19"), 10, 2, modality=Modality.CT), CARD):
        assert recipe.request.view is View.AXIAL
        assert [finding.zone for finding in recipe.findings] in ([], [None])


def test_normal_cases_alone_need_no_finding() -> None:
    assert [recipe.findings for recipe in planned(Wish((), 3, 3), CARD)] == [(), (), ()]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"count": 0}, "0 cases are asked for; a set is drawn of 1 to 60 at a time."),
        ({"count": 61}, "61 cases are asked for; a set is drawn of 1 to 60 at a time."),
        ({"normals": 13}, "13 of 12 cases are to be normal; choose 0 to 12."),
        ({"ages": (30, 20)}, "Ages are 30 to 20 years; they must rise and lie between 0 and 120."),
        ({"ages": (-1, 20)}, "Ages are -1 to 20 years; they must rise and lie between 0 and 120."),
        ({"ages": (20, 121)}, "Ages are 20 to 121 years; they must rise and lie between 0 and 120."),
        ({"codes": ()}, "No finding is chosen; choose at least one, or ask for normal cases only."),
        ({"normals": 12}, "All cases are to be normal; ask for fewer normal ones, or choose no finding."),
        ({"modality": Modality.MR}, "MR is not drawn for case sets; choose films or CT slices."),
        ({"codes": ("fracture",)}, "Fracture is not drawn by synthread-256; choose another finding."),
        ({"codes": ("ground_glass_opacity",)}, "Ground-glass opacity is not drawn on films; choose another finding."),
        ({"codes": ("pneumothorax",)}, "Pneumothorax is not drawn on films; choose another finding."),
        (
            {"codes": ("edema",), "modality": Modality.CT},
            "Pulmonary edema is not drawn on CT slices; choose another finding.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(changes: dict[str, object], sentence: str) -> None:
    wish = {"codes": ("nodule",), "count": 12, "normals": 4} | changes
    with pytest.raises(RequestError) as refused:
        planned(Wish(**wish), CARD)  # type: ignore[arg-type]
    assert str(refused.value) == sentence


@pytest.mark.parametrize("modality", [Modality.DX, Modality.CT])
def test_every_finding_that_is_offered_can_be_planned(modality: Modality) -> None:
    codes = drawable(CARD, modality)
    assert len(codes) >= 5
    assert {recipe.findings[0].code for recipe in planned(Wish(codes, 30, 0, modality=modality), CARD)} == {*codes}


def test_the_degrees_of_a_series_grow_on_one_picture() -> None:
    request = GenerationRequest(age=61, sex=Sex.FEMALE, seed=9)
    series = severity_series(request, Finding("consolidation", Side.LEFT, Zone.MIDDLE), 4)

    assert [recipe.finding.severity for recipe in series if recipe.finding] == [*Severity]
    assert {recipe.request for recipe in series} == {request} and {recipe.seed for recipe in series} == {4}
    mild, moderate, severe = (filled([(256 * x, 256 * y) for x, y in recipe.outline], 256, 256) for recipe in series)
    assert mild.sum() * 1.5 < moderate.sum() < severe.sum() / 1.4
    assert not (mild & ~moderate).any() and not (moderate & ~severe).any()


@pytest.mark.parametrize(("code", "modality"), [("pleural_effusion", Modality.DX), ("infiltration", Modality.CT)])
def test_a_series_of_what_is_not_drawn_by_hand_is_refused(code: str, modality: Modality) -> None:
    with pytest.raises(RequestError, match="is not drawn"):
        severity_series(GenerationRequest(modality=modality), Finding(code), 1)

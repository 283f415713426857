"""What an educator wishes for, as recipes: which findings, how many cases, how many normal ones, whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from synth.casework.outlines import grown, outlined
from synth.errors import RequestError
from synth.findings import term
from synth.reading.cases import Recipe
from synth.types import SEED_MAX, Finding, GenerationRequest, Modality, ModelCard, Severity, Sex, Side, View, Zone

COUNT_MAX = 60
AGE_MAX = 120  # years
# Findings that have a place are outlined on a picture of a healthy chest: measured to be drawn better so than by
# words (assets/results/alignment.json), or learnt so alone; and only then it is known where they are. What must follow
# a border, as a pneumothorax or a large heart, is left to the Edit page: the picture is not drawn yet.
BY_HAND = {
    Modality.DX: ("nodule", "mass", "consolidation", "infiltration"),
    Modality.CT: ("nodule", "mass", "consolidation", "ground_glass_opacity"),
}
ON_CT = (*BY_HAND[Modality.CT], "covid_19")  # what the slices of the training data show
BILATERAL = ("viral_pneumonia", "covid_19", "edema")
AT_THE_BASE = ("pleural_effusion",)  # where fluid gathers
MODALITIES = {Modality.DX: "films", Modality.CT: "CT slices"}
GROWTH = {Severity.MILD: 0.7, Severity.MODERATE: 1.0, Severity.SEVERE: 1.3}  # of the extent in a series
Choice = TypeVar("Choice")

ELDERLY = 65  # years; from then on half of the films are taken lying down, AP


@dataclass(frozen=True, slots=True)
class Wish:
    """`count` cases in all, `normals` of them without a finding, the others spread over `codes`.

    `ages` are the youngest and the oldest patient in years. Equal wishes give equal recipes.
    """

    codes: tuple[str, ...]
    count: int
    normals: int = 0
    ages: tuple[int, int] = (20, 85)
    modality: Modality = Modality.DX
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.count <= COUNT_MAX:
            raise RequestError(f"{self.count} cases are asked for; a set is drawn of 1 to {COUNT_MAX} at a time.")
        if not 0 <= self.normals <= self.count:
            raise RequestError(f"{self.normals} of {self.count} cases are to be normal; choose 0 to {self.count}.")
        low, high = self.ages
        if not 0 <= low <= high <= AGE_MAX:
            raise RequestError(f"Ages are {low} to {high} years; they must rise and lie between 0 and {AGE_MAX}.")
        if not self.codes and self.normals < self.count:
            raise RequestError("No finding is chosen; choose at least one, or ask for normal cases only.")
        if self.codes and self.normals == self.count:
            raise RequestError("All cases are to be normal; ask for fewer normal ones, or choose no finding.")
        if self.modality not in MODALITIES:
            raise RequestError(f"{self.modality} is not drawn for case sets; choose films or CT slices.")
        if not 0 <= self.seed <= SEED_MAX:
            raise RequestError(f"Seed is {self.seed}; it must lie between 0 and {SEED_MAX}.")


def drawable(card: ModelCard, modality: Modality) -> tuple[str, ...]:
    """The codes that a wish for `modality` may name with this model, in the order of their names."""
    codes = {*card.text_findings, *(c for c in card.drawn_findings if c in BY_HAND.get(modality, ()))}
    if modality is Modality.CT:
        codes &= {*ON_CT}
    return tuple(sorted(codes, key=lambda code: term(code).name.lower()))


def planned(wish: Wish, card: ModelCard) -> list[Recipe]:
    """The recipes of a wish, findings and normal cases mixed; sexes and ages spread evenly.

    Raises RequestError where the model cannot draw one of the findings, or not on this modality.
    """
    for code in wish.codes:
        _check(code, wish.modality, card)
    rng = np.random.default_rng((wish.seed, wish.count, *"".join(wish.codes).encode()))
    sick = [wish.codes[number % len(wish.codes)] for number in range(wish.count - wish.normals)]
    codes = rng.permutation([*sick, *[""] * wish.normals]).tolist()
    people = _people(wish, rng)
    sides = rng.permutation([(Side.RIGHT, Side.LEFT)[number % 2] for number in range(wish.count)])
    return [
        _recipe(code, person, Side(side), card, rng) for code, person, side in zip(codes, people, sides, strict=True)
    ]


def severity_series(request: GenerationRequest, finding: Finding, seed: int) -> list[Recipe]:
    """Mild, moderate and severe: three recipes on the one picture of `request`, the outline growing with the degree.

    Raises RequestError where the finding has no degrees or is not drawn by hand on that modality.
    """
    if not term(finding.code).graded or finding.code not in BY_HAND.get(request.modality, ()):
        raise RequestError(f"A course of {term(finding.code).name} is not drawn on {request.modality}.")
    rng = np.random.default_rng((seed, *finding.code.encode()))
    outline = outlined(finding.code, request.modality, finding.side or Side.RIGHT, finding.zone, rng)
    return [
        Recipe(request, grown(outline, GROWTH[severity]), replace(finding, severity=severity), seed)
        for severity in Severity
    ]


def _check(code: str, modality: Modality, card: ModelCard) -> None:
    name = term(code).name
    if code not in (*card.text_findings, *card.drawn_findings):
        raise RequestError(f"{name[:1].upper()}{name[1:]} is not drawn by {card.id}; choose another finding.")
    if code not in drawable(card, modality):
        raise RequestError(
            f"{name[:1].upper()}{name[1:]} is not drawn on {MODALITIES[modality]}; choose another finding."
        )


def _people(wish: Wish, rng: np.random.Generator) -> list[GenerationRequest]:
    """`count` requests without findings: ages spread evenly over the span, every other a woman."""
    low, high = wish.ages
    ages = rng.permutation(np.linspace(low, high, wish.count).round().astype(int))
    sexes = rng.permutation([(Sex.FEMALE, Sex.MALE)[number % 2] for number in range(wish.count)])
    return [
        GenerationRequest(
            modality=wish.modality,
            view=_view(wish.modality, int(age), rng),
            sex=Sex(sex),
            age=int(age),
            seed=int(rng.integers(SEED_MAX)),
        )
        for age, sex in zip(ages, sexes, strict=True)
    ]


def _view(modality: Modality, age: int, rng: np.random.Generator) -> View:
    if modality is Modality.CT:
        return View.AXIAL
    lying = age < 5 or (age >= ELDERLY and rng.random() < 0.5)
    return View.AP if lying else View.PA


def _recipe(code: str, person: GenerationRequest, side: Side, card: ModelCard, rng: np.random.Generator) -> Recipe:
    request = replace(person, model_id=card.id)
    if not code:
        return Recipe(request)
    finding = _finding(code, request.modality, side, rng)
    if code not in BY_HAND[request.modality]:
        return Recipe(replace(request, findings=(finding,)))
    outline = outlined(code, request.modality, side, finding.zone, rng)
    return Recipe(request, outline, finding, int(rng.integers(SEED_MAX)))


def _finding(code: str, modality: Modality, side: Side, rng: np.random.Generator) -> Finding:
    """The finding with a side, a zone and a degree where its row of the vocabulary has them."""
    row = term(code)
    zone, severity = _one(tuple(Zone), rng), _one((Severity.MODERATE, Severity.SEVERE), rng)
    zone = Zone.LOWER if code in AT_THE_BASE else zone
    zoned = row.zoned and modality is not Modality.CT and code not in BILATERAL
    return Finding(
        code,
        (Side.BOTH if code in BILATERAL else side) if row.sided else None,
        zone if zoned else None,
        severity if row.graded else None,
    )


def _one(choices: Sequence[Choice], rng: np.random.Generator) -> Choice:
    return choices[int(rng.integers(len(choices)))]

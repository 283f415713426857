"""The shipped starter set: what it holds, that the shipped model can draw it, and that no history tells the answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from synth.casework.recipes import BY_HAND, drawable
from synth.casework.starter import FILE, starter
from synth.errors import RequestError
from synth.findings import term
from synth.models.cards import read_card
from synth.reading.cases import Entry, Standing
from synth.reading.shapes import filled
from synth.types import Modality, Severity, Sex, Side

CARD = read_card(Path(__file__).parents[2] / "assets" / "models" / "synthread-256")
SET = starter()
SICK = [entry for entry in SET.entries if entry.recipe and entry.recipe.findings]
NORMAL = [entry for entry in SET.entries if entry.recipe and not entry.recipe.findings]


def code(entry: Entry) -> str:
    assert entry.recipe is not None
    return entry.recipe.findings[0].code


def test_the_set_waits_to_be_drawn_and_is_open_to_everybody() -> None:
    assert (SET.id, SET.code, SET.title, SET.owner, SET.open) == (
        "starter",
        "STARTER",
        "Starter set",
        "synthread",
        True,
    )
    assert {(entry.standing, entry.job, entry.base_job) for entry in SET.entries} == {(Standing.WAITING, "", "")}


def test_it_holds_enough_cases_findings_and_normal_films() -> None:
    assert len(SET.entries) >= 30
    assert len({code(entry) for entry in SICK}) >= 8
    assert 0.35 <= len(NORMAL) / len(SET.entries) <= 0.45


def test_every_finding_is_one_that_the_shipped_model_draws_there() -> None:
    for entry in SICK:
        assert entry.recipe is not None
        request = entry.recipe.request
        assert code(entry) in drawable(CARD, request.modality)
        assert request.model_id == CARD.id
        assert bool(entry.recipe.outline) is (code(entry) in BY_HAND[request.modality])


def test_sexes_sides_ages_and_modalities_are_mixed() -> None:
    requests = [entry.recipe.request for entry in SET.entries if entry.recipe]
    ages = [request.age or 0 for request in requests]
    sexes = Counter(request.sex for request in requests)
    sides = Counter(entry.recipe.findings[0].side for entry in SICK if entry.recipe)
    slices = sum(request.modality is Modality.CT for request in requests)
    assert min(ages) < 10 and max(ages) >= 80 and np.std(ages) > 15
    assert min(sexes[Sex.FEMALE], sexes[Sex.MALE]) >= 15
    assert min(sides[Side.LEFT], sides[Side.RIGHT]) >= 8
    assert 4 <= slices < len(requests) / 4


def test_outlines_lie_in_the_lung_of_the_side_that_is_named() -> None:
    outlined = [entry.recipe for entry in SICK if entry.recipe and entry.recipe.outline]
    assert len(outlined) >= 12
    for recipe in outlined:
        area = filled([(256 * x, 256 * y) for x, y in recipe.outline], 256, 256)
        assert 80 < area.sum() < 4000
        middle = np.argwhere(area)[:, 1].mean() / 256
        assert recipe.finding is not None and recipe.finding.side is (Side.RIGHT if middle < 0.5 else Side.LEFT)


def test_one_lesion_comes_in_three_degrees_on_one_picture() -> None:
    series: dict[str, list[Severity | None]] = {}
    for entry in SICK:
        if entry.recipe and entry.recipe.finding:
            key = f"{entry.recipe.request.digest()} {entry.recipe.seed}"
            series.setdefault(key, []).append(entry.recipe.finding.severity)
    assert max(map(len, series.values())) == 3
    assert [sorted(map(str, degrees)) for degrees in series.values() if len(degrees) > 1] == [
        sorted(map(str, Severity))
    ]


@pytest.mark.parametrize("entry", SET.entries, ids=lambda entry: entry.history[:24])
def test_a_history_is_short_and_does_not_tell_the_answer(entry: Entry) -> None:
    told = {"normal", "healthy", "pneumonia", "cancer", "tumour", "nothing", "synthetic"}
    for finding in entry.recipe.findings if entry.recipe else ():
        row = term(finding.code)
        told |= {row.name.lower(), *(word.lower() for word in row.synonyms)}
    said = [word for word in told if re.search(rf"\b{re.escape(word)}\b", entry.history.lower())]
    assert said == []
    assert 15 < len(entry.history) < 90 and entry.history.endswith(".")
    assert 1 <= len(re.findall(r"[.](?:\s|$)", entry.teaching)) <= 2


def test_age_and_sex_of_a_history_are_those_of_the_picture() -> None:
    words = {1: "One-year-old", 6: "Six-year-old"}
    for entry in SET.entries:
        assert entry.recipe is not None
        request = entry.recipe.request
        age = words.get(request.age or 0, f"{request.age}-year-old")
        noun = {Sex.FEMALE: "(woman|girl)", Sex.MALE: "(man|boy)"}[request.sex or Sex.MALE]
        assert re.match(rf"{age} {noun}\b", entry.history), entry.history


def test_ids_are_opaque_and_the_same_for_every_model() -> None:
    other = starter("tiny")
    assert [entry.id for entry in other.entries] == [entry.id for entry in SET.entries]
    assert all(re.fullmatch("[0-9a-f]{32}", entry.id) for entry in SET.entries)
    assert {entry.recipe.request.model_id for entry in other.entries if entry.recipe} == {"tiny"}


def test_a_damaged_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.json"
    damaged.write_text(FILE.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    with pytest.raises(RequestError, match=r"^The starter set damaged.json cannot be read: .*\.$"):
        starter(file=damaged)
    shipped = json.loads(FILE.read_text(encoding="utf-8"))
    twice = tmp_path / "twice.json"
    twice.write_text(json.dumps(shipped | {"cases": [shipped["cases"][0]] * 2}), encoding="utf-8")
    with pytest.raises(RequestError, match="names a case twice"):
        starter(file=twice)

"""What is shown at the reveal: every drawable finding is explained in a readable length, with a source."""

import re
from pathlib import Path

import pytest

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.models.cards import read_card
from synth.reading.explanations import EXPLANATIONS, explanation

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = range(60, 121)
YEAR = re.compile(r"\b(?:19|20)\d\d;\d+")


def drawable():
    card = read_card(ROOT / "assets" / "models" / "synthread-256")
    return {*card.text_findings, *card.drawn_findings}


def test_every_finding_that_the_shipped_model_draws_is_explained():
    assert drawable() - set(EXPLANATIONS) == set()


def test_only_findings_of_the_vocabulary_are_explained():
    assert set(EXPLANATIONS) <= set(VOCABULARY)
    assert {code: entry.code for code, entry in EXPLANATIONS.items()} == {code: code for code in EXPLANATIONS}


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_an_explanation_has_60_to_120_words_in_three_parts(code):
    entry = explanation(code)
    assert entry.words in WORDS
    assert all(len(part.split()) >= 8 for part in (entry.signs, entry.mimics, entry.pitfalls))
    assert all(part.endswith(".") and "  " not in part for part in (entry.signs, entry.mimics, entry.pitfalls))


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_an_explanation_names_its_source(code):
    sources = explanation(code).sources
    assert sources
    assert all(source.endswith(".") for source in sources)
    assert any(YEAR.search(source) for source in sources)  # a journal, its year and volume; books have none


def test_a_finding_without_explanation_is_refused_by_name():
    with pytest.raises(RequestError, match="no explanation of scoliosis; 16 findings have one"):
        explanation("scoliosis")
    with pytest.raises(RequestError, match="no explanation of 'sunburn'"):
        explanation("sunburn")

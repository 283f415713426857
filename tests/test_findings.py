"""The vocabulary of findings: codes, wording and ids."""

import re

import pytest

from synth.errors import RequestError
from synth.findings import VOCABULARY, term

CODES_OF_THE_DATA = """
pneumonia bacterial_pneumonia viral_pneumonia covid_19 pleural_effusion infiltration nodule lung_opacity edema
atelectasis tuberculosis pleural_thickening consolidation cardiomegaly mass fibrosis pneumothorax emphysema
hernia ards pneumocystis cavity ground_glass_opacity lung_cancer haemorrhage glioma meningioma pituitary_tumour
benign malignant
"""


def test_every_code_of_the_training_data_has_a_row():
    assert [code for code in CODES_OF_THE_DATA.split() if code not in VOCABULARY] == []


def test_a_row_is_found_by_its_code():
    row = term("pleural_effusion")
    assert (row.code, row.name, row.sided, row.zoned, row.graded) == (
        "pleural_effusion",
        "pleural effusion",
        True,
        True,
        True,
    )
    assert row.snomed == "60046008"


def test_an_unknown_code_is_refused_in_one_sentence():
    with pytest.raises(RequestError, match=r"^The finding 'plague' is not known; choose one of the \d+ listed\.$"):
        term("plague")


def test_the_vocabulary_cannot_be_changed():
    with pytest.raises(TypeError):
        VOCABULARY["plague"] = term("mass")  # type: ignore[index]


def test_codes_are_lower_case_words_joined_by_underscores():
    assert [code for code in VOCABULARY if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", code)] == []


def test_no_wording_belongs_to_two_codes():
    owner: dict[str, str] = {}
    twice = []
    for code, row in VOCABULARY.items():
        for phrase in {row.name.lower(), *(s.lower() for s in row.synonyms)}:
            if owner.setdefault(phrase, code) != code:
                twice.append((phrase, owner[phrase], code))
    assert twice == []


def test_snomed_ids_have_a_valid_check_digit():
    assert [row.code for row in VOCABULARY.values() if row.snomed and not _verhoeff(row.snomed)] == []


def test_ids_are_used_once():
    for ids in ([r.snomed for r in VOCABULARY.values()], [r.radlex for r in VOCABULARY.values()]):
        given = [i for i in ids if i]
        assert len(given) == len(set(given))


def _verhoeff(number: str) -> bool:
    """True when the last digit is the Verhoeff check digit of an SCTID (SNOMED CT Release File Specification 5.5)."""
    flip = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    turns = [flip]
    for _ in range(7):
        turns.append([turns[-1][step[i]] for i in range(10)])
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = _dihedral(check, turns[place % 8][int(digit)])
    return check == 0


def _dihedral(a: int, b: int) -> int:
    """Product in the dihedral group of the pentagon."""
    if a < 5:
        return (a + b) % 5 if b < 5 else (a + b) % 5 + 5
    return (a - b) % 5 + 5 if b < 5 else (a - b) % 5

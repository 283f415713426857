"""Answers as a full factorial and as the rows of iMRMC."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from synth.errors import RequestError
from synth.reading.mrmc import mrmc
from synth.reading.readings import IMRMC_COLUMNS, Reading, factorial, imrmc_rows

ROWS = [
    Reading("anna", "c1", "film", 5, True),
    Reading("anna", "c2", "film", 2, False),
    Reading("ben", "c1", "film", 6, True),
    Reading("ben", "c2", "film", 1, False),
]


def test_imrmc_gets_the_truth_of_every_case_and_then_the_readings() -> None:
    assert IMRMC_COLUMNS == ("readerID", "caseID", "modalityID", "score")
    assert imrmc_rows(ROWS[:3]) == [
        ("truth", "c1", "truth", 1.0),
        ("truth", "c2", "truth", 0.0),
        ("anna", "c1", "film", 5.0),
        ("anna", "c2", "film", 2.0),
        ("ben", "c1", "film", 6.0),
    ]


def test_readings_in_any_order_become_a_factorial() -> None:
    study = factorial(ROWS[::-1])
    assert (study.modalities, study.readers, study.cases) == (("film",), ("ben", "anna"), ("c2", "c1"))
    assert study.truth.tolist() == [False, True]
    assert study.scores.tolist() == [[[1, 6], [2, 5]]]


def test_a_factorial_goes_into_the_analysis() -> None:
    rng = np.random.default_rng(2)
    rows = [
        Reading(f"r{r}", f"c{c}", m, float(rng.integers(1, 7) + 2 * (c % 2)), bool(c % 2))
        for r, c, m in product(range(3), range(20), ("real", "synthetic"))
    ]
    study = factorial(rows)
    assert study.scores.shape == (2, 3, 20)
    assert study.scores[1, 2, 7] == next(
        row.score for row in rows if (row.reader, row.case, row.modality) == ("r2", "c7", "synthetic")
    )
    assert mrmc(study.truth, study.scores).test is not None


def test_a_gap_a_double_and_a_contradiction_are_sentences() -> None:
    with pytest.raises(RequestError, match="ben has not read case c2 in modality film"):
        factorial(ROWS[:3])
    for table in (factorial, imrmc_rows):
        with pytest.raises(RequestError, match="Nothing has been read"):
            table([])
        with pytest.raises(RequestError, match="ben has read case c2 in modality film twice"):
            table([*ROWS, ROWS[3]])
        with pytest.raises(RequestError, match="c1 is positive in one reading and negative in another"):
            table([*ROWS, Reading("cleo", "c1", "film", 3, False)])
    with pytest.raises(RequestError, match="c9 is not a number"):
        Reading("anna", "c9", "film", math.nan, True)


@pytest.mark.parametrize("name", ["truth", "-1"])
def test_names_that_imrmc_keeps_for_the_truth_are_refused(name: str) -> None:
    for row in (Reading(name, "c1", "film", 3, True), Reading("anna", "c1", name, 3, True)):
        with pytest.raises(RequestError, match="keeps it for the truth"):
            imrmc_rows([row])

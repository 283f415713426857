"""Answers of readers as tables: the full factorial of a reader study, and the rows that iMRMC reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import RequestError

Truth = npt.NDArray[np.bool_]  # (N,), True where the case is positive
Scores = npt.NDArray[np.float64]

IMRMC_COLUMNS = ("readerID", "caseID", "modalityID", "score")
TRUTH = "truth"  # iMRMC's name of the reader and of the modality of a truth row
RESERVED = (TRUTH, "-1")  # "-1" is the truth's reader in iMRMC up to 1.2


@dataclass(frozen=True, slots=True)
class Reading:
    """One score of one reader for one case in one modality; a higher score speaks for a positive case."""

    reader: str
    case: str
    modality: str
    score: float
    positive: bool  # the truth of the case

    def __post_init__(self) -> None:
        if not np.isfinite(self.score):
            raise RequestError(f"The score of case {self.case} is not a number; every case needs one.")


@dataclass(frozen=True, slots=True, eq=False)
class FactorialStudy:
    """Every reader has read every case in every modality."""

    modalities: tuple[str, ...]  # T
    readers: tuple[str, ...]  # R
    cases: tuple[str, ...]  # N
    truth: Truth  # (N,)
    scores: Scores  # (T, R, N)


def as_truth(truth: npt.ArrayLike) -> Truth:
    """(N,) of 0 and 1, or False and True, as bool. Raises RequestError on anything else."""
    values = np.asarray(truth)
    if values.ndim != 1 or not np.isin(values, (0, 1)).all():
        raise RequestError("The truth of each case must be 0 (negative) or 1 (positive).")
    return values.astype(bool)


def as_scores(scores: npt.ArrayLike, cases: int) -> Scores:
    """Scores (..., N) as float64. Raises RequestError unless they are finite and N is `cases`."""
    values = np.asarray(scores, np.float64)
    if values.ndim == 0 or values.shape[-1] != cases:
        raise RequestError(f"There are {cases} cases, so there must be {cases} scores, one for each.")
    if not np.isfinite(values).all():
        raise RequestError("A score is missing or not a number; every case needs one.")
    return values


def factorial(readings: Iterable[Reading]) -> FactorialStudy:
    """The readings as a full factorial, names in the order of their first appearance.

    Raises RequestError where a reading is missing or doubled, or a case has two truths.
    """
    rows = list(readings)
    truths = _truths(rows)
    modalities = tuple(dict.fromkeys(row.modality for row in rows))
    readers = tuple(dict.fromkeys(row.reader for row in rows))
    places = [{name: k for k, name in enumerate(names)} for names in (modalities, readers, truths)]
    scores = np.full([len(names) for names in places], np.nan)
    for row in rows:
        scores[places[0][row.modality], places[1][row.reader], places[2][row.case]] = row.score
    if np.isnan(scores).any():
        t, r, k = np.argwhere(np.isnan(scores))[0]
        raise RequestError(
            f"Reader {readers[r]} has not read case {list(truths)[k]} in modality {modalities[t]}; this analysis needs "
            "every reader to read every case in every modality."
        )
    return FactorialStudy(modalities, readers, tuple(truths), np.array(list(truths.values())), scores)


def imrmc_rows(readings: Iterable[Reading]) -> list[tuple[str, str, str, float]]:
    """Rows in the order of IMRMC_COLUMNS, as `doIMRMC` of the R package iMRMC takes them.

    First the truth of every case, 1 positive or 0 negative, then the readings as they come; the design may be
    incomplete.

    From version 2.0 on iMRMC knows truth rows by reader *and* modality "truth" (doAUCmrmc, dfMRMC_example); only the
    older Java program wants the reader -1. Raises RequestError where a reading is doubled, a case has two truths, or a
    reader or modality has a name that iMRMC keeps for the truth.
    """
    rows = list(readings)
    taken = [name for row in rows for name in (row.reader, row.modality) if name in RESERVED]
    if taken:
        raise RequestError(f'"{taken[0]}" cannot name a reader or a modality: iMRMC keeps it for the truth.')
    truths = [(TRUTH, case, TRUTH, float(positive)) for case, positive in _truths(rows).items()]
    return truths + [(row.reader, row.case, row.modality, float(row.score)) for row in rows]


def _truths(rows: Sequence[Reading]) -> dict[str, bool]:
    """Case -> truth; refuses none at all, doubles and contradictions."""
    if not rows:
        raise RequestError("Nothing has been read yet.")
    truths: dict[str, bool] = {}
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        key = (row.reader, row.case, row.modality)
        if key in seen:
            raise RequestError(f"Reader {row.reader} has read case {row.case} in modality {row.modality} twice.")
        if truths.setdefault(row.case, bool(row.positive)) != bool(row.positive):
            raise RequestError(f"Case {row.case} is positive in one reading and negative in another.")
        seen.add(key)
    return truths

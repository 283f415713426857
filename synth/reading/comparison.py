"""Two conditions of a study compared: each reader by accuracy and AUC, all of them by Obuchowski and Rockette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from synth.errors import RequestError
from synth.reading.learning import AccuracyChange, accuracy_change
from synth.reading.mrmc import Mrmc, mrmc
from synth.reading.readings import Reading, factorial
from synth.reading.reads import Read, rated
from synth.reading.roc import AucDifference, auc_difference


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The largest part of a study in which every reader has read every case under every condition.

    `scores` (T, R, N) are 0 where a row has none, `truth` is (N,); all empty where there is no such part.
    """

    readers: tuple[str, ...] = ()  # R
    cases: tuple[str, ...] = ()  # N
    truth: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    scores: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReaderChange:
    """One reader, second condition less first, over the cases read under both."""

    reader: str
    accuracy: AccuracyChange | None
    auc: AucDifference | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second condition against the first. `mrmc` has them in this order, so its difference is first less second."""

    first: str
    second: str
    changes: tuple[ReaderChange, ...]
    mrmc: Mrmc | None
    readers: int  # of the multi-reader analysis
    cases: int
    notes: tuple[str, ...]


def block(reads: Sequence[Read], names: Sequence[str]) -> Block:
    """The readers and cases of a full factorial of these conditions, for rows of one task, each case once.

    Either the readers who read every case, or the cases that every reader read, whichever keeps more answers; what was
    left out is a note. Fewer than two readers or a truth that contradicts itself: none.
    """
    seen = {name: {(read.reader, read.case) for read in reads if read.condition == name} for name in names}
    both = set.intersection(*seen.values())
    readers = sorted({reader for reader, _ in both}, key=lambda reader: (len(reader), reader))
    cases = list(dict.fromkeys(read.case for read in reads))
    whole = [reader for reader in readers if all((reader, case) in both for case in cases)]
    shared = [case for case in cases if all((reader, case) in both for reader in readers)]
    by_readers = len(whole) * len(cases) if len(whole) > 1 else 0
    by_cases = len(shared) * len(readers) if len(readers) > 1 else 0
    if not max(by_readers, by_cases):
        return Block(notes=("A multi-reader analysis needs two readers who read the same cases.",))
    chosen, common = whole, cases
    notes: tuple[str, ...] = ()
    if by_cases > by_readers:
        chosen, common = readers, shared
    if len(chosen) < len({read.reader for read in reads}) or len(common) < len(cases):
        kept = f"{len(chosen)} readers and {len(common)} of {len(cases)} cases"
        notes = (f"Not every reader read every case: the multi-reader analysis keeps {kept}.",)
    rows = {(r.condition, r.reader, r.case): r for r in reads if r.reader in chosen and r.case in set(common)}
    table = [
        Reading(reader, case, name, rows[name, reader, case].score or 0.0, bool(rows[name, reader, case].positive))
        for name in names
        for reader in chosen
        for case in common
    ]
    try:
        full = factorial(table)
    except RequestError as error:
        return Block(notes=(str(error),))
    return Block(full.readers, full.cases, full.truth, full.scores, notes)


def compare(names: tuple[str, str], reads: Sequence[Read]) -> Comparison:
    """The rows of one task under two conditions; where the readers cannot be joined, a note says why."""
    scored = block([read for read in reads if read.score is not None and read.condition in names], names)
    notes, joined = list(scored.notes), None
    if scored.readers:
        try:
            joined = mrmc(scored.truth, scored.scores)
        except RequestError as error:
            notes.append(str(error))
    order = sorted({read.reader for read in reads}, key=lambda reader: (len(reader), reader))
    changes = tuple(_change(reader, names, [read for read in reads if read.reader == reader]) for reader in order)
    return Comparison(*names, changes, joined, len(scored.readers), len(scored.cases), tuple(notes))


def _change(reader: str, names: tuple[str, str], reads: Sequence[Read]) -> ReaderChange:
    first, second = ({read.case: read for read in reads if read.condition == name} for name in names)
    pairs = [(first[case], second[case]) for case in first if case in second]
    scored = [(a, b) for a, b in pairs if None not in (a.score, b.score)]
    (_, truth, before), (_, _, after) = rated(a for a, _ in scored), rated(b for _, b in scored)
    right = accuracy_change([a.correct for a, _ in pairs], [b.correct for _, b in pairs])
    return ReaderChange(reader, right, auc_difference(truth, before, after))

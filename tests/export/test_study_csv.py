"""A study's answers as CSV: what a spreadsheet and iMRMC get."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from synth.errors import RequestError
from synth.export.study_csv import COLUMNS, imrmc_csv, reads_csv
from synth.reading.answers import Task
from synth.reading.reads import Read, reads_of
from synth.reading.studies import Study
from tests.reading import simulated


def simulated_reads(study: Study) -> list[Read]:
    phases, readers = range(study.protocol.phases), range(study.protocol.readers)
    return [row for p in phases for k in readers for row in reads_of(simulated.sitting(study, k, p), study)]


def parsed(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_every_answer_is_a_line_with_all_that_is_known_of_it() -> None:
    study = simulated.study()
    reads = simulated_reads(study)
    lines = parsed(reads_csv(reads))
    assert len(lines) == len(reads) == 3 * 2 * 60 and tuple(lines[0]) == COLUMNS
    for line, row in zip(lines, reads, strict=True):
        assert (line["reader"], line["task"], line["case"]) == (row.reader, row.task.value, row.case)
        assert (int(line["phase"]), int(line["position"])) == (row.phase + 1, row.position + 1)
        assert float(line["score"]) == row.score and line["answered_at"] == row.at.isoformat()
        assert (line["positive"], line["correct"]) == (str(int(bool(row.positive))), str(int(row.correct)))
        assert (line["x"] == "") is (row.place is None) and (line["hit"] == "") is (row.hit is None)
        assert line["true"].split() == list(row.true)
    assert b"Pseudonym" not in reads_csv(reads)  # readers were promised to be numbers


@pytest.mark.parametrize("name", ["=1+1", "+ann", "-ann", "@ann", " =1+1", "\t=1"])
def test_no_text_is_a_formula_and_numbers_stay_numbers(name: str) -> None:
    study = simulated.study(1, 1, (Task.FINDINGS,))
    reads = [replace(row, reader=name, case=f"{name}-{row.position}") for row in simulated_reads(study)]
    lines = parsed(reads_csv(reads))
    assert {line["reader"] for line in lines} == {f"'{name}"}
    assert all(line["case"].startswith(f"'{name}-") for line in lines)
    assert min(float(line["score"]) for line in lines) < 0
    assert {line["readerID"] for line in parsed(imrmc_csv(reads))} == {"truth", f"'{name}"}


def test_imrmc_reads_truth_and_scores_back() -> None:
    study = simulated.study(3, 2, (Task.FINDINGS,))
    reads = simulated_reads(study)
    data = imrmc_csv(reads)
    assert data.startswith(b"readerID,caseID,modalityID,score\r\n")
    lines = parsed(data)
    truth = {line["caseID"]: float(line["score"]) for line in lines if line["readerID"] == "truth"}
    assert {line["modalityID"] for line in lines if line["readerID"] == "truth"} == {"truth"}
    assert truth == {row.case: float(bool(row.positive)) for row in reads}
    for reader in ("Reader 1", "Reader 3"):
        for phase in ("Phase 1", "Phase 2"):
            rows = [line for line in lines if (line["readerID"], line["modalityID"]) == (reader, phase)]
            own = [row for row in reads if (row.reader, row.condition) == (reader, phase)]
            area = roc_auc_score([truth[line["caseID"]] for line in rows], [float(line["score"]) for line in rows])
            assert area == roc_auc_score([bool(row.positive) for row in own], np.array([row.score for row in own]))
    assert len(lines) == 20 + 3 * 2 * 20


def test_nothing_with_a_score_is_a_sentence() -> None:
    with pytest.raises(RequestError, match="Nothing has been read yet"):
        imrmc_csv([])

"""Which cases come of a set and of the library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from synth.casework import pool
from synth.reading.answers import Direction, Task
from synth.reading.cases import Standing
from synth.store import Store
from tests.casework.furnished import furnish, library


def test_a_set_gives_its_entries_their_bases_both_ways_of_every_pair_and_the_series(
    store: Store, tmp_path: Path
) -> None:
    made = furnish(store, normals=2)  # the shipped set
    cases = pool.of_set(store, made, library(tmp_path))
    by_task = {task: [case for case in cases if task in case.tasks] for task in Task}
    assert len(by_task[Task.FINDINGS]) == 4 + 6 + 4  # normals and effusions, drawn ones, bases of these
    assert len(by_task[Task.WHERE]) == 12  # effusions by text have no place
    assert sorted(case.truth.changes[0].direction for case in by_task[Task.CHANGE]) == (
        [Direction.APPEARED] * 6 + [Direction.RESOLVED] * 6
    )
    (series,) = by_task[Task.SEVERITY]
    ranks = {f"synthetic:{entry.job}": pool.RANKS[entry.recipe.finding.severity] for entry in made.entries[-3:]}
    assert [ranks[source] for source in series.sources] == list(series.truth.severities)


def test_of_an_educators_set_only_what_was_approved_is_read(store: Store, tmp_path: Path) -> None:
    made = furnish(store, normals=2, set_id="mine")
    cases = [case for case in pool.of_set(store, made, library(tmp_path)) if Task.FINDINGS in case.tasks]
    assert [case.sources for case in cases] == [(f"synthetic:{entry.job}",) for entry in made.entries]


def test_the_place_of_a_drawn_lesion_is_that_of_its_outline(store: Store, tmp_path: Path) -> None:
    made = furnish(store, normals=1, series=False)
    case = next(case for case in pool.of_set(store, made, library(tmp_path)) if case.truth.placed)
    rows, columns = np.nonzero(case.truth.area)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (77, 101, 77, 101)


def test_what_is_not_approved_or_gone_is_no_case(store: Store, tmp_path: Path) -> None:
    made = furnish(store, normals=1, series=False)
    first, second = made.entries[:2]
    store.casebook.change_entry(first, replace(first, standing=Standing.REFUSED))
    store.casebook.change_entry(second, replace(second, job="gone"))
    before = {source for case in pool.of_set(store, made, library(tmp_path)) for source in case.sources}
    after = {
        source
        for case in pool.of_set(store, store.casebook.case_set(made.id), library(tmp_path))
        for source in case.sources
    }
    assert before - after == {f"synthetic:{first.job}", f"synthetic:{second.job}"}


def test_real_films_have_the_tasks_that_their_labels_can_answer_and_slices_none(tmp_path: Path) -> None:
    films = library(tmp_path)
    cases = pool.of_library(films)
    assert len(cases) == sum(image.modality == "DX" for image in films.images) < len(films.images)
    assert {case.tasks for case in cases} == {(Task.REAL_OR_SYNTHETIC, Task.FINDINGS)}
    assert {case.truth.codes for case in cases} == {(), ("pleural_effusion",)}
    assert all(case.truth.synthetic is False for case in cases)


def test_the_findings_offered_are_those_of_all_cases_of_the_modality(store: Store, tmp_path: Path) -> None:
    cases = pool.of_set(store, furnish(store), library(tmp_path))
    assert pool.options(cases, "DX") == ("mass", "nodule", "pleural_effusion")
    assert pool.options(cases, "CT") == ()


def test_the_shipped_set_is_the_starter_set_alone(store: Store) -> None:
    assert pool.shipped(store.casebook.sets()) == []
    furnish(store, normals=1, set_id="mine")
    starter = furnish(store, normals=1)
    assert pool.shipped(store.casebook.sets()) == [starter]

"""How far the readers of a study are, counted by the database."""

from __future__ import annotations

from dataclasses import replace

from synth.reading.answers import Task
from synth.reading.studies import Progress
from synth.store import Store
from tests.reading import simulated


def test_progress_counts_answers_and_leaves_lost_cases_out(store: Store) -> None:
    study = simulated.study(2, 2, (Task.FINDINGS,))
    store.casebook.add_study(study)
    assert store.casebook.progress(study.id) == []
    for reader, phase, answered in ((0, 0, 20), (1, 0, 7), (0, 1, 0)):
        sitting = simulated.sitting(study, reader, phase, answered=answered)
        store.sittings.begin(replace(sitting, ended_at=None))
        for one in sitting.answers.values():
            store.sittings.answer(sitting.id, one)
    store.sittings.end("sitting-0-0", simulated.LOCKED)
    store.sittings.set_void("sitting-1-0", 19)
    found = store.casebook.progress(study.id)
    assert found == [
        Progress("Reader 1", 0, 20, 20, True),
        Progress("Reader 2", 0, 7, 19, False),
        Progress("Reader 1", 1, 0, 20, False),
    ]
    assert [one.complete for one in found] == [True, False, False]
    assert store.casebook.progress("another") == []

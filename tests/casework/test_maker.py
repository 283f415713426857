"""Cases drawn in the background, by the analytic model: the starter set, users first, two servers, and what fails."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth.casework.maker import Maker
from synth.engine import Engine
from synth.errors import RequestError, WeightsMissing
from synth.generate import compatible, generate_batch
from synth.models.tiny import TinyModel
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.store import Store
from synth.types import Finding, GenerationRequest, JobState, Severity
from tests.painting import until, wait_for
from tests.small_disk import SmallDisk
from tests.validated import NOON, RHEA

ROOT = Path(__file__).resolve().parents[2]
OUTLINE = ((0.25, 0.3), (0.4, 0.3), (0.4, 0.5), (0.25, 0.5))
Begin = Callable[..., Maker]


def film(seed: int, *findings: Finding) -> Recipe:
    return Recipe(GenerationRequest(seed=seed, steps=2, model_id="tiny", findings=findings))


def lesion(seed: int, severity: Severity | None = None, base: int = 1) -> Recipe:
    return replace(film(base), outline=OUTLINE, finding=Finding("consolidation", severity=severity), seed=seed)


def case_set(*recipes: Recipe, owner: str = "ada", set_id: str = "set") -> CaseSet:
    entries = tuple(Entry(f"{set_id}-{number}", recipe) for number, recipe in enumerate(recipes))
    return CaseSet(set_id, set_id, "A set", owner, entries)


def entries(store: Store, set_id: str = "set") -> tuple[Entry, ...]:
    return store.casebook.case_set(set_id).entries


def settled(store: Store, set_id: str = "set") -> bool:
    return all(entry.standing is not Standing.WAITING for entry in entries(store, set_id))


def standings(store: Store, set_id: str = "set") -> list[Standing]:
    return [entry.standing for entry in entries(store, set_id)]


@pytest.fixture
def engine(store: Store) -> Iterator[Engine]:
    running = Engine(store, TinyModel, generate_batch, compatible)
    yield running
    running.close()


@pytest.fixture
def begin(store: Store, engine: Engine) -> Iterator[Begin]:
    """Start a maker, by default without a starter set; all are closed before the engine."""
    begun: list[Maker] = []

    def begin_(at: Engine = engine, file: Path | None = None) -> Maker:
        begun.append(Maker(store, at, file, poll_s=0.01, idle_s=0.1))
        return begun[-1]

    yield begin_
    for maker in begun:
        maker.close()


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A starter set of three cases."""
    rows = [film(1), film(2, Finding("pneumonia")), lesion(3)]
    file = tmp_path / "starter.json"
    cases = [
        {"recipe": json.loads(row.to_json()), "history": f"Cough {n}.", "teaching": "."} for n, row in enumerate(rows)
    ]
    file.write_text(json.dumps({"drawn_with": {}, "cases": cases}), encoding="utf-8")
    return file


def test_the_starter_set_is_drawn_without_anybody_asking(store: Store, begin: Begin, shipped: Path) -> None:
    begin(file=shipped)
    until(lambda: bool(store.casebook.sets()) and settled(store, "starter"), "the starter set")

    made = store.casebook.set_of_code("STARTER")
    assert (made.title, made.owner, [entry.history for entry in made.approved]) == (
        "Starter set",
        "synthread",
        ["Cough 0.", "Cough 1.", "Cough 2."],
    )
    assert store.count_images("synthread") == store.count_images() == 3  # the lesion's base is the first case


def test_the_starter_set_is_kept_once_and_what_failed_is_tried_again(store: Store, begin: Begin, shipped: Path) -> None:
    earlier = begin(file=shipped)
    until(lambda: bool(store.casebook.sets()) and settled(store, "starter"), "the starter set")
    earlier.close()
    first = entries(store, "starter")[0]
    store.casebook.change_entry(first, replace(first, standing=Standing.FAILED, problem="The disk is full."))
    store.casebook.remove_entry(entries(store, "starter")[2].id)

    begin(file=shipped)
    until(lambda: standings(store, "starter") == [Standing.APPROVED] * 2, "the second try")

    assert [entry.problem for entry in entries(store, "starter")] == ["", ""]
    assert len(store.casebook.sets()) == 1


def test_a_starter_set_that_cannot_be_read_stops_no_other(store: Store, begin: Begin, tmp_path: Path) -> None:
    store.casebook.add_set(case_set(film(1)))
    begin(file=tmp_path / "nowhere.json")
    until(lambda: standings(store) == [Standing.PROPOSED], "the case")


def test_a_set_that_somebody_asked_for_is_drawn_before_the_starter_set(store: Store, begin: Begin) -> None:
    store.casebook.add_set(case_set(film(1), film(2), owner="synthread", set_id="starter"))
    store.casebook.add_set(case_set(film(3), film(4)))
    begin()
    until(lambda: settled(store) and settled(store, "starter"), "both sets")

    drawn = [image.request.seed for image in reversed(store.history(10))]
    assert drawn == [3, 4, 1, 2]


def test_a_lesion_is_drawn_into_its_own_base_and_the_case_is_proposed(store: Store, begin: Begin) -> None:
    store.casebook.add_set(case_set(lesion(5)))
    begin()
    until(lambda: settled(store), "the case")

    (entry,) = entries(store)
    base, image = store.image(entry.base_job), store.image(entry.job)
    assert (entry.standing, entry.problem) == (Standing.PROPOSED, "")
    assert (base.request, image.provenance.requested_by) == (film(1).request, "ada")
    edit = image.request.edit
    assert edit is not None and (edit.mode, edit.origin) == ("add", f"synthetic:{base.id}")
    assert (image.request.findings, image.request.seed) == ((Finding("consolidation"),), 5)
    np.testing.assert_array_equal(store.picture(edit.base), base.pixels)
    drawn = store.picture(edit.lesion or "") > 0
    assert drawn.mean() == pytest.approx(0.15 * 0.2, abs=0.002)
    changed = image.pixels != base.pixels
    assert changed[drawn].mean() > 0.5 and not changed[:, 128:].any()


def test_a_series_shares_one_base(store: Store, begin: Begin) -> None:
    store.casebook.add_set(case_set(*(lesion(5, severity) for severity in Severity)))
    begin()
    until(lambda: settled(store), "the series")

    assert len({entry.base_job for entry in entries(store)}) == 1
    assert len({entry.job for entry in entries(store)}) == 3
    assert store.count_images() == 4


def test_equal_requests_are_drawn_once(store: Store, begin: Begin) -> None:
    store.casebook.add_set(case_set(film(1), film(1), lesion(7), lesion(7)))
    begin()
    until(lambda: settled(store), "the set")
    assert store.count_images() == 2


def test_two_servers_on_one_database_draw_nothing_twice(store: Store, engine: Engine, begin: Begin) -> None:
    other = Engine(store, TinyModel, generate_batch, compatible)
    store.casebook.add_set(case_set(*(film(seed) for seed in range(6)), lesion(1), lesion(2)))
    makers = [begin(), begin(other)]
    until(lambda: settled(store), "the set")

    for maker in makers:
        maker.close()
    other.close()
    assert standings(store) == [Standing.PROPOSED] * 8
    assert store.count_images() == 8
    assert [event.action for event in store.events(99)].count("submit") == 8


class Held:
    """The analytic model's drawing, one image a permit."""

    def __init__(self) -> None:
        self.permits = threading.Semaphore(0)
        self.users: list[str] = []

    def __call__(self, model: Any, orders: Any, *rest: Any) -> Any:
        self.users += [order.user for order in orders]
        for _ in orders:
            self.permits.acquire()
        return generate_batch(model, orders, *rest)


def test_a_user_waits_for_no_more_than_the_picture_in_progress(store: Store, begin: Begin) -> None:
    held = Held()
    engine = Engine(store, TinyModel, held, compatible, max_batch=1)
    store.casebook.add_set(case_set(film(1), film(2), film(3)))
    begin(engine)
    until(lambda: held.users == ["ada"], "the first case")

    mine = [engine.submit(film(seed).request, "bob") for seed in (11, 12)]
    assert engine.status().waiting == 2  # not one of the cases is among them
    held.permits.release(3)
    for job in mine:
        wait_for(engine, job.id)
    held.permits.release(9)
    until(lambda: settled(store), "the set")

    assert held.users == ["ada", "bob", "bob", "ada", "ada"]
    engine.close()


VICTIM = """
import sys, time
from synth.casework.maker import Maker
from synth.engine import Engine
from synth.generate import compatible, generate_batch
from synth.models.tiny import TinyModel
from synth.store import Store

def stuck(model, orders, *rest):
    if orders[0].request.edit is not None:
        print("drawing the lesion", flush=True)
        time.sleep(60)
    return generate_batch(model, orders, *rest)

store = Store(sys.argv[1], sys.argv[2])
maker = Maker(store, Engine(store, TinyModel, stuck, compatible), None, poll_s=0.01, idle_s=0.1)
time.sleep(60)
"""


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    urls = (f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
    store = Store(*urls)
    store.casebook.add_set(case_set(lesion(5), film(2)))
    with subprocess.Popen([sys.executable, "-c", VICTIM, *urls], cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None and "lesion" in victim.stdout.readline()
        victim.kill()
    base = store.history(9)
    assert len(base) == 1 and standings(store) == [Standing.WAITING] * 2

    engine = Engine(store, TinyModel, generate_batch, compatible, lease_s=0.2)
    maker = Maker(store, engine, None, poll_s=0.01, idle_s=0.1)
    until(lambda: settled(store), "the set")

    assert standings(store) == [Standing.PROPOSED] * 2
    assert (entries(store)[0].base_job, store.count_images()) == (base[0].id, 3)
    for part in (maker, engine, store):
        part.close()


def test_a_base_that_was_deleted_is_drawn_again(store: Store, engine: Engine, begin: Begin) -> None:
    store.casebook.add_set(case_set(film(1)))
    maker = begin()
    until(lambda: settled(store), "the base")
    with store._database.writing() as session:
        session.connection().exec_driver_sql("UPDATE jobs SET image_id = NULL")
        session.connection().exec_driver_sql("DELETE FROM image_states")
        session.connection().exec_driver_sql("DELETE FROM image_facts")
        session.connection().exec_driver_sql("DELETE FROM images")

    store.casebook.add_set(case_set(lesion(5), set_id="other"))
    maker.wake()
    until(lambda: settled(store, "other"), "the lesion")

    (entry,) = entries(store, "other")
    assert entry.standing is Standing.PROPOSED
    assert store.image(entry.base_job).request == film(1).request


def test_a_job_that_fails_is_tried_three_times_and_then_says_why(store: Store, begin: Begin) -> None:
    seeds: list[int] = []

    def broken(model: Any, orders: Any, *rest: Any) -> Any:
        seeds.extend(order.request.seed for order in orders)
        if seeds[-1] == 1:
            raise ZeroDivisionError("the brush broke")
        return generate_batch(model, orders, *rest)

    engine = Engine(store, TinyModel, broken, compatible)
    store.casebook.add_set(case_set(film(1), film(2)))
    begin(engine)
    until(lambda: settled(store), "the set")

    failed, drawn = entries(store)
    sentence = (
        "The image could not be made because of an unexpected ZeroDivisionError; the server's log has the details."
    )
    assert (failed.standing, failed.problem) == (Standing.FAILED, sentence)
    assert (drawn.standing, seeds) == (Standing.PROPOSED, [1, 1, 1, 2])
    engine.close()


def test_a_job_that_somebody_cancels_stays_cancelled(store: Store, begin: Begin) -> None:
    held = Held()
    engine = Engine(store, TinyModel, held, compatible)
    store.casebook.add_set(case_set(film(1)))
    begin(engine)
    until(lambda: held.users == ["ada"] and bool(entries(store)[0].job), "the case")

    assert engine.cancel(entries(store)[0].job).state is JobState.CANCELLED
    held.permits.release(9)
    until(lambda: settled(store), "the set")

    (entry,) = entries(store)
    assert (entry.standing, entry.problem) == (
        Standing.FAILED,
        "The drawing of this case was cancelled; draw it again with another seed.",
    )
    engine.close()


def test_an_outline_beside_the_patient_moves_on_to_other_seeds_and_then_fails(store: Store, begin: Begin) -> None:
    aside = replace(lesion(5), outline=((0.0, 0.0), (0.05, 0.0), (0.05, 0.05), (0.0, 0.05)))
    store.casebook.add_set(case_set(aside))
    begin()
    until(lambda: settled(store), "the case")

    (entry,) = entries(store)
    assert entry.standing is Standing.FAILED and "lies on the patient" in entry.problem
    assert [image.request.seed for image in store.history(9)] == [3, 2, 1]


def test_a_lesion_that_cannot_be_seen_is_drawn_anew_on_the_same_base(store: Store, begin: Begin) -> None:
    def unchanged(model: Any, orders: Any, *rest: Any) -> Any:
        images = generate_batch(model, orders, *rest)
        return [replace(i, pixels=o.base.pixels) if o.base else i for i, o in zip(images, orders, strict=True)]

    engine = Engine(store, TinyModel, unchanged, compatible)
    store.casebook.add_set(case_set(lesion(5)))
    begin(engine)
    until(lambda: settled(store), "the case")

    (entry,) = entries(store)
    assert entry.standing is Standing.FAILED and "can hardly be seen" in entry.problem
    edits = [image.request for image in store.history(9) if image.request.edit]
    assert ([request.seed for request in edits], len({r.edit.base for r in edits if r.edit})) == ([7, 6, 5], 1)
    engine.close()


def test_redrawing_takes_new_seeds_and_leaves_the_base_of_a_series(store: Store, begin: Begin) -> None:
    store.casebook.add_set(case_set(film(1), lesion(5, Severity.MILD, 3), lesion(5, Severity.SEVERE, 3)))
    maker = begin()
    until(lambda: settled(store), "the set")
    before = entries(store)

    alone, member = maker.redraw("set", before[0]), maker.redraw("set", before[1])
    until(lambda: settled(store), "the set")

    assert alone.recipe == film(2) and member.recipe == lesion(6, Severity.MILD, 3)
    after = entries(store)
    assert [entry.standing for entry in after] == [Standing.PROPOSED] * 3
    assert after[1].base_job == before[1].base_job and after[2] == before[2]
    assert after[0].job != before[0].job and after[1].job != before[1].job
    with pytest.raises(RequestError, match="was changed meanwhile"):
        maker.redraw("set", before[0])
    with pytest.raises(RequestError, match="A real image is not drawn"):
        maker.redraw("set", Entry("real", real="jsrt-1"))


def test_a_model_that_failed_to_load_draws_nothing_and_fails_nothing(store: Store, begin: Begin, shipped: Path) -> None:
    def missing() -> TinyModel:
        raise WeightsMissing("The weights are not there.")

    engine = Engine(store, missing, generate_batch, compatible)
    store.casebook.add_set(case_set(film(1)))
    maker = begin(engine, shipped)
    until(lambda: engine.status().model_state == "failed", "the failure")
    maker.wake()
    maker.close()

    assert (standings(store), store.events(9)) == ([Standing.WAITING], [])
    engine.close()


def test_a_full_disk_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(SmallDisk, "room", 10_000_000)
    store = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"smalldisk://{tmp_path / 'blobs'}")
    engine = Engine(store, TinyModel, generate_batch, compatible)
    store.casebook.add_set(case_set(film(1)))
    maker = Maker(store, engine, None, poll_s=0.01, idle_s=0.05)
    until(lambda: settled(store), "the base")
    monkeypatch.setattr(SmallDisk, "room", 40)
    store.casebook.add_set(case_set(lesion(5), set_id="other"))
    maker.wake()
    until(lambda: "cases wait: The disk is full" in caplog.text, "the full disk")

    assert standings(store, "other") == [Standing.WAITING]
    monkeypatch.setattr(SmallDisk, "room", 10_000_000)
    until(lambda: settled(store, "other"), "the lesion")

    assert standings(store, "other") == [Standing.PROPOSED]
    for part in (maker, engine, store):
        part.close()


def test_an_entry_that_leaves_its_set_is_not_waited_for(store: Store, begin: Begin) -> None:
    store.casebook.add_set(case_set(film(1), film(2)))
    store.casebook.remove_entry("set-0")
    begin()
    until(lambda: settled(store), "the set")
    assert [image.request.seed for image in store.history(9)] == [2]


def test_a_case_whose_image_was_withdrawn_is_drawn_with_other_seeds(store: Store, begin: Begin) -> None:
    store.casebook.add_set(case_set(film(1)))
    maker = begin()
    until(lambda: settled(store), "the first drawing")
    (before,) = entries(store)
    store.validation.withdraw(before.job, RHEA, "The heart is drawn twice", NOON)
    assert standings(store) == [Standing.WITHDRAWN]

    store.casebook.add_set(case_set(film(1), set_id="other"))  # the same request: its job is there already
    maker.wake()
    until(lambda: settled(store, "other"), "the second drawing")

    (after,) = entries(store, "other")
    assert (after.standing, after.job == before.job) == (Standing.PROPOSED, False)

"""An image drawn once more from its stored request is the same picture, and what has changed meanwhile is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from synth.engine import Engine
from synth.errors import BusyError
from synth.generate import compatible, generate_batch
from synth.models.tiny import TinyModel
from synth.recreate import Likeness, compared, doubts, recreate
from synth.store import Store
from synth.types import Edit, Finding, GeneratedImage, GenerationRequest, JobState, QualityReport
from tests.painting import Painter, start, wait_for

REQUEST = GenerationRequest(seed=7, steps=4, model_id="tiny", findings=(Finding("pneumonia"),))


@pytest.fixture
def engine(store: Store) -> Iterator[Engine]:
    """The analytic model, whose batches are real ones."""
    running = Engine(store, TinyModel, generate_batch, compatible)
    wait_for(running, running.submit(REQUEST, "ada").id)
    yield running
    running.close()


def drawn(engine: Engine, store: Store, *requests: GenerationRequest) -> list[GeneratedImage]:
    jobs = engine.submit_all(requests, "ada")
    assert [wait_for(engine, job.id).state for job in jobs] == [JobState.DONE] * len(jobs)
    return [store.image(job.id) for job in jobs]


def copy_of(engine: Engine, store: Store, image: GeneratedImage) -> GeneratedImage:
    job = recreate(engine, store, image, "grace")
    assert wait_for(engine, job).state is JobState.DONE
    return store.image(job)


def test_a_copy_has_the_same_pixels_and_both_are_named_in_the_trail(engine: Engine, store: Store) -> None:
    (image,) = drawn(engine, store, REQUEST)
    copy = copy_of(engine, store, image)
    assert compared(image, copy) == Likeness(image.pixels.size, 0, 0)
    assert compared(image, copy).sentence == f"Identical: all {image.pixels.size:,} pixels are the same."
    (event,) = (one for one in store.events() if one.action == "recreate")
    assert (event.who, event.subject) == ("grace", image.id)
    assert event.detail == {
        "copy": copy.id, "batch": [copy.id], "digest": REQUEST.digest(), "seed": 7, "model": "tiny", "revision": "1",
    }  # fmt: skip


def test_an_image_of_a_batch_is_drawn_again_with_the_others(engine: Engine, store: Store) -> None:
    requests = [replace(REQUEST, seed=seed) for seed in (1, 2, 3)]
    images = drawn(engine, store, *requests)
    assert [image.provenance.batch for image in images] == [3, 3, 3]
    copy = copy_of(engine, store, images[1])
    assert (copy.request, copy.provenance.batch) == (requests[1], 3)
    assert compared(images[1], copy) == Likeness(copy.pixels.size, 0, 0)


def test_a_place_in_the_batch_whose_image_was_not_kept_is_filled(store: Store, make_image: object) -> None:
    painter = Painter()
    engine = start(store, painter)
    (image,) = drawn(engine, store, replace(REQUEST, seed=5))
    lone = replace(image, id="lone", provenance=replace(image.provenance, batch=3, seconds=1.0))
    other = replace(lone, provenance=replace(lone.provenance, created_at=lone.provenance.created_at.replace(year=2000)))
    store.add_image(other)
    job = recreate(engine, store, other, "grace")
    wait_for(engine, job)
    engine.close()
    assert painter.batches[-1] == [5, 5, 5]
    assert compared(other, store.image(job)).differing == 0


def test_an_edit_is_drawn_again_on_the_same_base(engine: Engine, store: Store) -> None:
    (image,) = drawn(engine, store, REQUEST)
    base = store.add_picture(image.pixels)
    edit = Edit(base=base, origin=f"synthetic:{image.id}", mode="variation", strength=0.5)
    (varied,) = drawn(engine, store, replace(REQUEST, edit=edit, seed=9))
    assert compared(varied, copy_of(engine, store, varied)).differing == 0


def test_pixels_that_differ_are_counted(store: Store, make_image: object) -> None:
    pixels = np.zeros((4, 5), np.uint16)
    other = pixels.copy()
    other[0, 0], other[1, 2] = 3, 40_000
    made = make_image("i1")  # type: ignore[operator]
    first, second, small = (
        GeneratedImage("i1", array, made.request, made.provenance, QualityReport())
        for array in (pixels, other, pixels[:3])
    )
    assert compared(first, second) == Likeness(20, 2, 40_000)
    assert compared(second, first).sentence == "2 of 20 pixels differ, by at most 40000 grey levels."
    assert compared(first, small) == Likeness(20, 20, 65_535)
    assert Likeness(20, 1, 1).sentence == "1 of 20 pixels differ, by at most 1 grey level."


def test_what_has_changed_since_is_told_before(engine: Engine, store: Store) -> None:
    (image,) = drawn(engine, store, REQUEST)
    now = engine.status()
    assert doubts(image, now) == []

    def of(**changes: object) -> list[str]:
        return doubts(replace(image, provenance=replace(image.provenance, **changes)), now)  # type: ignore[arg-type]

    numpy = image.provenance.versions["numpy"]
    assert of(model_revision="0") == ["It was drawn by tiny revision 0, now tiny revision 1 is loaded."]
    assert of(model_id="big") == ["It was drawn by big revision 1, now tiny revision 1 is loaded."]
    assert of(weights_hash="ab") == ["The weights of tiny are not those that drew it: their hash differs."]
    assert of(device="cuda:0 H100") == [
        "It was drawn on cuda:0 H100, now cpu draws; devices round differently."
    ]  # fmt: skip
    assert of(versions={"numpy": "1.0"}) == [f"It was drawn with numpy 1.0, now {numpy} is installed."]
    assert of(batch=4) == [
        "It was drawn in a batch of 4, which is drawn again; another size rounds differently."
    ]  # fmt: skip
    waiting = replace(now, card=None, device="")
    assert doubts(image, waiting) == ["It was drawn by tiny revision 1; no model is loaded yet."]


def test_the_image_of_a_row_is_found_by_its_own_id_and_by_its_job(engine: Engine, store: Store) -> None:
    (image,) = drawn(engine, store, REQUEST)
    kept = replace(image, id="kept without a job")
    store.add_image(kept)
    assert [store.image_of(subject) for subject in (image.id, kept.id, "nobody", "")] == [image.id, kept.id, None, None]


def test_a_full_queue_refuses_and_the_trail_says_that_it_was_asked(store: Store, make_image: object) -> None:
    painter = Painter(steps=0)
    engine = start(store, painter, queue_size=1)
    image = make_image("i1")  # type: ignore[operator]
    store.add_image(image)
    with pytest.raises(BusyError):
        for _ in range(3):
            recreate(engine, store, image, "grace")
    assert store.events()[0].action == "recreate"
    painter.let()
    engine.close()

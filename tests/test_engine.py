"""The queue in front of the model: order, batches, cancelling, failures."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from synth import engine as engine_module
from synth.engine import Engine, EngineStatus
from synth.errors import BusyError, LicenceNotAccepted, OutOfMemory, StoreError, WeightsMissing
from synth.origins import Licence
from synth.store import Store
from synth.types import GenerationRequest, JobState
from tests.painting import CARD, UNLUCKY_SEED, Painter, alike, paint, pixels, start, until, wait_for

Begin = Callable[..., Engine]


@pytest.fixture
def begin(store: Store) -> Iterator[Begin]:
    """Start an engine on `store`; all are closed at the end, after every painter was let go."""
    begun: list[tuple[Engine, Painter]] = []

    def begin_(painter: Painter, **settings: float) -> Engine:
        begun.append((start(store, painter, **settings), painter))
        return begun[-1][0]

    yield begin_
    for engine, painter in begun:
        painter.let()
        engine.close()


def ask(seed: int = 1, steps: int = 2, note: str = "") -> GenerationRequest:
    return GenerationRequest(seed=seed, steps=steps, note=note)


def test_a_request_becomes_a_stored_image_with_its_audit_rows(begin: Begin, store: Store) -> None:
    engine = begin(Painter())
    request = ask(seed=7, steps=3, note="PA film of a 65-year-old man")

    submitted = engine.submit(request, "ada")
    job = wait_for(engine, submitted.id)

    assert (job.state, job.request, job.user, job.error) == (JobState.DONE, request, "ada", None)
    assert (job.position, job.step, job.total, job.preview, job.image_id) == (0, 3, 3, None, job.id)
    image = store.image(job.id)
    np.testing.assert_array_equal(image.pixels, pixels(7))
    assert (image.request, image.provenance.requested_by) == (request, "ada")
    events = store.events(subject=job.id)
    detail = {"model": "synthread-256", "seed": 7, "digest": request.digest()}
    assert [(row.who, row.action, row.reason, row.detail) for row in events] == [
        ("ada", "done", "", detail),
        ("ada", "submit", "", detail),
    ]


def test_the_model_is_loaded_once_whatever_the_number_of_users(store: Store) -> None:
    loads: list[str] = []
    painter = Painter()

    def load() -> Painter:
        loads.append(threading.current_thread().name)
        return painter

    engine = Engine(store, load, paint, alike, queue_size=100)  # type: ignore[arg-type]
    jobs: list[str] = []
    users = [threading.Thread(target=lambda n=n: jobs.append(engine.submit(ask(n), f"u{n}").id)) for n in range(8)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    states = [wait_for(engine, job).state for job in jobs]

    assert states == [JobState.DONE] * 8
    assert len(loads) == 1 and loads[0] != threading.main_thread().name
    assert engine.status() == EngineStatus("cpu", "painter", "ready", 1, 0, 0, None, CARD)
    engine.close()


def test_nobody_waits_for_the_model_to_load(store: Store) -> None:
    loaded = threading.Event()
    painter = Painter()

    def load() -> Painter:
        loaded.wait()
        return painter

    engine = Engine(store, load, paint, alike)  # type: ignore[arg-type]
    jobs = [engine.submit(ask(seed), "ada") for seed in (1, 2)]
    before = engine.status()
    loaded.set()
    ends = [wait_for(engine, job.id).state for job in jobs]

    assert [(job.state, job.position) for job in jobs] == [(JobState.QUEUED, 0), (JobState.QUEUED, 1)]
    assert before == EngineStatus("", "", "loading", 1, 2, 0, None, None)
    assert ends == [JobState.DONE, JobState.DONE]
    engine.close()


def test_jobs_run_in_order_and_know_how_many_are_ahead(begin: Begin) -> None:
    painter = Painter(steps=0)
    engine = begin(painter)
    first = engine.submit(ask(1, steps=1), "ada")
    until(lambda: engine.job(first.id).state is JobState.RUNNING)
    second, third = engine.submit(ask(2, steps=2), "bob"), engine.submit(ask(3, steps=3), "cem")

    assert [engine.job(job.id).position for job in (first, second, third)] == [0, 1, 2]
    painter.let(1)
    wait_for(engine, first.id)
    until(lambda: engine.job(second.id).state is JobState.RUNNING)
    assert [engine.job(job.id).position for job in (second, third)] == [0, 1]
    painter.let()
    wait_for(engine, third.id)
    assert painter.batches == [[1], [2], [3]]


def test_waiting_requests_that_fit_share_a_batch_of_at_most_eight(begin: Begin) -> None:
    painter = Painter(steps=0)
    engine = begin(painter)
    engine.submit(ask(100), "ada")
    until(lambda: painter.batches == [[100]])
    jobs = [engine.submit(ask(seed, steps=3 if seed == 2 else 2), "ada") for seed in range(11)]

    painter.let()
    for job in jobs:
        assert wait_for(engine, job.id).state is JobState.DONE

    assert painter.batches == [[100], [0, 1, 3, 4, 5, 6, 7, 8], [2], [9, 10]]


def test_requests_submitted_together_are_one_batch(begin: Begin, store: Store) -> None:
    painter = Painter()
    engine = begin(painter)

    jobs = engine.submit_all([ask(seed) for seed in range(8)], "ada")
    for job in jobs:
        wait_for(engine, job.id)

    assert painter.batches == [list(range(8))]
    for job in jobs:
        np.testing.assert_array_equal(store.image(job.id).pixels, pixels(job.request.seed))


def test_a_full_queue_refuses_all_of_a_request_and_says_so(begin: Begin, store: Store) -> None:
    painter = Painter(steps=0)
    engine = begin(painter, queue_size=3)
    engine.submit(ask(1), "ada")
    until(lambda: engine.status().running == 1)
    engine.submit_all([ask(2), ask(3)], "ada")

    with pytest.raises(BusyError) as caught:
        engine.submit_all([ask(4), ask(5)], "bob")

    assert str(caught.value) == "The queue is full: 1 of 3 places are free and 2 were asked for; try again in a minute."
    assert len(store.open_jobs()) == 3
    assert engine.submit(ask(4), "bob").state is JobState.QUEUED


def test_a_queued_job_that_is_cancelled_is_never_drawn(begin: Begin, store: Store) -> None:
    painter = Painter(steps=0)
    engine = begin(painter)
    first = engine.submit(ask(1), "ada")
    until(lambda: painter.batches == [[1]])
    second, third = engine.submit(ask(2, steps=1), "ada"), engine.submit(ask(3, steps=5), "ada")

    cancelled = engine.cancel(second.id)
    painter.let()
    wait_for(engine, third.id)

    assert (cancelled.state, cancelled.error) == (JobState.CANCELLED, None)
    assert painter.batches == [[1], [3]]
    assert store.job(second.id).state is JobState.CANCELLED
    assert [row.action for row in store.events(subject=second.id)] == ["cancelled", "submit"]
    assert wait_for(engine, first.id).state is JobState.DONE


def test_a_running_job_that_is_cancelled_stops_at_the_next_step(begin: Begin, store: Store) -> None:
    painter = Painter(steps=1)
    engine = begin(painter)
    job = engine.submit(ask(1, steps=200), "ada")
    until(lambda: engine.job(job.id).step == 1)

    engine.cancel(job.id)
    painter.let(1)
    after = engine.submit(ask(2, steps=1), "ada")
    painter.let(1)

    assert wait_for(engine, after.id).state is JobState.DONE
    assert engine.job(job.id).state is JobState.CANCELLED
    assert store.count_images() == 1


def test_cancelling_one_of_a_batch_leaves_the_others_alone(begin: Begin, store: Store) -> None:
    painter = Painter(steps=1)
    engine = begin(painter)
    jobs = engine.submit_all([ask(seed, steps=3) for seed in (1, 2, 3)], "ada")
    until(lambda: engine.job(jobs[0].id).step == 1)

    engine.cancel(jobs[1].id)
    painter.let()
    states = [wait_for(engine, job.id).state for job in jobs]

    assert states == [JobState.DONE, JobState.CANCELLED, JobState.DONE]
    assert painter.batches == [[1, 2, 3]]
    assert {image.id for image in store.history(9)} == {jobs[0].id, jobs[2].id}
    np.testing.assert_array_equal(store.image(jobs[2].id).pixels, pixels(3))


def test_a_batch_stops_when_all_of_it_is_cancelled(begin: Begin, store: Store) -> None:
    painter = Painter(steps=1)
    engine = begin(painter)
    jobs = engine.submit_all([ask(seed, steps=200) for seed in (1, 2)], "ada")
    until(lambda: engine.job(jobs[0].id).step == 1)

    for job in jobs:
        engine.cancel(job.id)
    painter.let(2)
    after = engine.submit(ask(3, steps=1), "ada")

    assert wait_for(engine, after.id).state is JobState.DONE
    assert painter.batches == [[1, 2], [3]]
    assert store.count_images() == 1


def test_cancelling_a_finished_job_changes_nothing(begin: Begin, store: Store) -> None:
    engine = begin(Painter())
    done = wait_for(engine, engine.submit(ask(1), "ada").id)

    assert engine.cancel(done.id) == done
    assert store.job(done.id).state is JobState.DONE
    with pytest.raises(StoreError, match=r"^There is no job 'nobody' in the store\.$"):
        engine.cancel("nobody")


def test_the_progress_and_the_preview_of_a_job_are_its_own(begin: Begin) -> None:
    painter = Painter(steps=2)
    engine = begin(painter)
    jobs = engine.submit_all([ask(seed, steps=5) for seed in (10, 20)], "ada")
    until(lambda: engine.job(jobs[1].id).step == 2)

    running = [engine.job(job.id) for job in jobs]

    assert [(job.state, job.step, job.total) for job in running] == [(JobState.RUNNING, 2, 5)] * 2
    for job, grey in zip(running, (12, 22), strict=True):
        assert job.preview is not None
        np.testing.assert_array_equal(job.preview, np.full((2, 2), grey, dtype=np.uint8))


def test_a_job_that_breaks_fails_alone_in_one_sentence(
    begin: Begin, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    painter = Painter()
    engine = begin(painter)

    with caplog.at_level(logging.ERROR):
        jobs = [wait_for(engine, job.id) for job in engine.submit_all([ask(s) for s in (1, UNLUCKY_SEED, 3)], "ada")]
    later = wait_for(engine, engine.submit(ask(4), "ada").id)

    sentence = (
        "The image could not be made because of an unexpected ZeroDivisionError; the server's log has the details."
    )
    assert [(job.state, job.error) for job in jobs] == [
        (JobState.DONE, None),
        (JobState.FAILED, sentence),
        (JobState.DONE, None),
    ]
    assert later.state is JobState.DONE
    assert painter.batches == [[1, 13, 3], [1], [13], [3], [4]]
    assert "ZeroDivisionError: the brush broke" in caplog.text
    assert store.job(jobs[1].id).error == sentence
    assert [row.action for row in store.events(subject=jobs[1].id)] == ["failed", "submit"]


def test_a_batch_too_large_for_the_memory_is_drawn_one_by_one(begin: Begin) -> None:
    painter = Painter(largest=1)
    engine = begin(painter)

    jobs = engine.submit_all([ask(seed) for seed in (1, 2, 3)], "ada")

    assert [wait_for(engine, job.id).state for job in jobs] == [JobState.DONE] * 3
    assert painter.batches == [[1, 2, 3], [1], [2], [3]]


def test_one_image_too_large_for_the_memory_fails_and_the_next_works(begin: Begin) -> None:
    painter = Painter(largest=0)
    engine = begin(painter)

    failed = wait_for(engine, engine.submit(ask(1), "ada").id)
    painter.largest = 1
    done = wait_for(engine, engine.submit(ask(2), "ada").id)

    assert (failed.state, failed.error) == (JobState.FAILED, "The painter has room for 0 images, not for 1.")
    assert done.state is JobState.DONE


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (WeightsMissing("The file denoiser.safetensors is missing."), "The file denoiser.safetensors is missing."),
        (OutOfMemory("The model does not fit."), "The model does not fit."),
        (
            KeyError("x"),
            "The model could not be loaded because of an unexpected KeyError; the server's log has the details.",
        ),
    ],
)
def test_without_a_model_every_job_fails_with_the_reason(store: Store, problem: Exception, sentence: str) -> None:
    def load() -> Painter:
        raise problem

    engine = Engine(store, load, paint, alike)  # type: ignore[arg-type]
    jobs = [wait_for(engine, engine.submit(ask(seed), "ada").id) for seed in (1, 2)]

    assert [(job.state, job.error) for job in jobs] == [(JobState.FAILED, sentence)] * 2
    assert engine.status() == EngineStatus("", "", "failed", 1, 0, 0, sentence, None)
    engine.close()


def test_a_model_that_waits_for_its_licence_is_loaded_and_draws_once_it_is_accepted(store: Store) -> None:
    licence = Licence("painter", "1", "openrail")
    accepted: list[Licence] = []

    def load() -> Painter:
        if not accepted:
            raise LicenceNotAccepted(licence)
        return Painter()

    engine = Engine(store, load, paint, alike)  # type: ignore[arg-type]
    refused = wait_for(engine, engine.submit(ask(1), "ada").id)
    waiting = engine.status()
    engine.reload()  # nobody has accepted it yet
    until(lambda: engine.status().load_count == 2 and engine.status().model_state == "failed", "the second refusal")
    accepted.append(licence)
    engine.reload()
    done = wait_for(engine, engine.submit(ask(2), "ada").id)
    ready = engine.status()
    engine.reload()  # of a model that is there: nothing
    again = wait_for(engine, engine.submit(ask(3), "ada").id)
    engine.close()

    assert (refused.state, refused.error) == (JobState.FAILED, str(LicenceNotAccepted(licence)))
    assert (waiting.model_state, waiting.licence) == ("failed", licence)
    assert (done.state, again.state) == (JobState.DONE, JobState.DONE)
    assert ready == EngineStatus("cpu", "painter", "ready", 3, 0, 0, None, CARD)


def test_users_who_ask_at_once_get_their_own_images(begin: Begin, store: Store) -> None:
    engine = begin(Painter(), queue_size=100)
    got: dict[str, list[tuple[int, str]]] = {"ada": [], "bob": []}

    def use(user: str, first_seed: int) -> None:
        for seed in range(first_seed, first_seed + 10):
            job = wait_for(engine, engine.submit(ask(seed), user).id)
            image = store.image(str(job.image_id))
            np.testing.assert_array_equal(image.pixels, pixels(seed))
            got[user].append((image.request.seed, image.provenance.requested_by))

    threads = [threading.Thread(target=use, args=one) for one in (("ada", 100), ("bob", 200))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == {user: [(first + n, user) for n in range(10)] for user, first in (("ada", 100), ("bob", 200))}
    assert (store.count_images("ada"), store.count_images("bob")) == (10, 10)


def test_old_jobs_leave_the_memory_but_not_the_store(
    begin: Begin, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "ENDED_KEPT", 3)
    engine = begin(Painter())

    jobs = [wait_for(engine, engine.submit(ask(seed), "ada").id) for seed in range(6)]

    assert (list(engine._ended), engine._open) == ([job.id for job in jobs[3:]], {})
    assert [(engine.job(job.id).state, engine.job(job.id).image_id) for job in jobs] == [
        (JobState.DONE, job.id) for job in jobs
    ]


def test_a_closed_engine_refuses_requests(begin: Begin) -> None:
    engine = begin(Painter())
    engine.close()

    with pytest.raises(BusyError, match=r"^The engine is shutting down; ask again when it is back\.$"):
        engine.submit(ask(1), "ada")


def test_a_job_takes_the_id_that_is_given_and_no_other_can_have_it(begin: Begin, store: Store) -> None:
    engine = begin(Painter())
    done = wait_for(engine, engine.submit(ask(1), "ada", "case-1").id)

    with pytest.raises(StoreError):
        engine.submit(ask(2), "ada", "case-1")

    assert (done.id, done.image_id) == ("case-1", "case-1")
    assert (engine.status().waiting, store.count_images()) == (0, 1)

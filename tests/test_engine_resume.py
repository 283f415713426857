"""What a killed server, a second server or a full disk does to the jobs."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from synth.engine import Engine
from synth.generate import Order, compatible, generate, generate_batch
from synth.models.tiny import TinyModel
from synth.store import Store
from synth.types import GenerationRequest, Job, JobState
from tests.painting import Painter, pixels, start, until, wait_for
from tests.small_disk import SmallDisk

ROOT = Path(__file__).resolve().parent.parent

# Draws with the real sampler, says so after the second step, and hangs there until it is killed.
VICTIM = """
import sys, time
from synth.engine import Engine
from synth.generate import compatible, generate_batch
from synth.models.tiny import TinyModel
from synth.store import Store
from synth.types import GenerationRequest

def stuck(model, orders, created_at, on_step):
    def hang(step):
        on_step(step)
        if step.index == 2:
            print("sampling", flush=True)
            time.sleep(60)
    return generate_batch(model, orders, created_at, hang)

engine = Engine(Store(sys.argv[1], sys.argv[2]), TinyModel, stuck, compatible)
for steps, user in ((4, "ada"), (3, "bob")):
    job = engine.submit(GenerationRequest(seed=17, steps=steps, model_id="tiny"), user)
    print(job.id, flush=True)
while job.state in ("queued", "running"):
    time.sleep(0.1)
    job = engine.job(job.id)
sys.exit(f"nobody killed me: {job}")
"""


def ask(seed: int = 1, steps: int = 2) -> GenerationRequest:
    return GenerationRequest(seed=seed, steps=steps)


def test_a_server_killed_while_sampling_resumes_its_jobs(tmp_path: Path) -> None:
    urls = (f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
    with subprocess.Popen([sys.executable, "-c", VICTIM, *urls], cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        told = [victim.stdout.readline().strip() for _ in range(3)]
        victim.kill()
    assert "sampling" in told
    running, queued = (word for word in told if word != "sampling")
    store = Store(*urls)
    assert [(job.id, job.state) for job in store.open_jobs()] == [
        (running, JobState.RUNNING),
        (queued, JobState.QUEUED),
    ]

    engine = Engine(store, TinyModel, generate_batch, compatible, lease_s=0.2)
    jobs = [wait_for(engine, running), wait_for(engine, queued)]

    assert [(job.state, job.image_id, job.user) for job in jobs] == [
        (JobState.DONE, running, "ada"),
        (JobState.DONE, queued, "bob"),
    ]
    for job in jobs:
        never_killed = generate(TinyModel(), Order(job.request, job.user, job.id), datetime.now(UTC), lambda step: None)
        image = store.image(job.id)
        np.testing.assert_array_equal(image.pixels, never_killed.pixels)
        assert image.provenance.request_digest == job.request.digest()
    assert store.count_images() == 2
    assert [row.action for row in store.events(subject=running)] == ["done", "submit"]
    engine.close()
    store.close()


def test_a_closed_engine_leaves_its_jobs_to_the_next(store: Store) -> None:
    slow = Painter(steps=1)
    first = start(store, slow)
    jobs = [first.submit(ask(1, steps=200), "ada"), first.submit(ask(2, steps=3), "bob")]
    until(lambda: first.job(jobs[0].id).step == 1)
    slow.let(1)
    first.close()
    assert store.open_jobs() == [Job(job.id, job.request, job.user, JobState.QUEUED) for job in jobs]

    second = start(store, Painter())
    ends = [wait_for(second, job.id) for job in jobs]

    assert [(job.state, job.image_id) for job in ends] == [(JobState.DONE, job.id) for job in jobs]
    second.close()


def test_two_engines_on_one_store_draw_every_job_once(store: Store) -> None:
    requests = [ask(seed) for seed in range(20, 40)]
    orphans = [Job(f"job{request.seed}", request, "ada", JobState.QUEUED) for request in requests]
    store.add_jobs(orphans, "an engine that died")
    store.release_jobs("an engine that died")
    painters = [Painter(), Painter()]

    engines = [start(store, painter, max_batch=2) for painter in painters]
    until(lambda: store.open_jobs() == [])

    drawn = [seed for painter in painters for batch in painter.batches for seed in batch]
    assert sorted(drawn) == list(range(20, 40))
    until(lambda: {engines[0].job(job.id).state for job in orphans} == {JobState.DONE})
    for job in orphans:
        np.testing.assert_array_equal(store.image(job.id).pixels, pixels(job.request.seed))
    for engine in engines:
        engine.close()


def test_a_slow_engine_that_is_alive_keeps_its_jobs(store: Store) -> None:
    slow, idle = Painter(steps=1), Painter()
    busy = start(store, slow, lease_s=0.4)
    job = busy.submit(ask(1, steps=3), "ada")
    other = start(store, idle, lease_s=1.5)

    time.sleep(2.0)  # longer than the lease of the other
    slow.let()

    assert wait_for(busy, job.id).state is JobState.DONE
    assert (slow.batches, idle.batches) == ([[1]], [])
    for engine in (busy, other):
        engine.close()


def test_an_engine_sees_the_jobs_of_another_and_can_cancel_them(store: Store) -> None:
    slow = Painter(steps=0)
    there, here = start(store, slow), start(store, Painter())
    job = there.submit(ask(1), "ada")
    until(lambda: slow.batches == [[1]])

    seen = here.job(job.id).state
    cancelled = here.cancel(job.id).state
    slow.let()
    end = wait_for(there, job.id).state

    assert (seen, cancelled, end) == (JobState.RUNNING, JobState.CANCELLED, JobState.CANCELLED)
    assert store.count_images() == 0
    for engine in (there, here):
        engine.close()


def test_a_full_disk_fails_the_job_and_the_next_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SmallDisk, "room", 40)
    store = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"smalldisk://{tmp_path / 'blobs'}")
    engine = start(store, Painter())

    failed = wait_for(engine, engine.submit(ask(1), "ada").id)
    left = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    images, events = store.count_images(), [row.action for row in store.events(subject=failed.id)]
    monkeypatch.setattr(SmallDisk, "room", 10_000)
    done = wait_for(engine, engine.submit(ask(2), "ada").id)

    sentence = "The disk is full: the image could not be stored; free some space and ask for it again."
    assert (failed.state, failed.error, failed.image_id) == (JobState.FAILED, sentence, None)
    assert (left, images, events) == ([], 0, ["failed", "submit"])
    assert store.job(failed.id).error == sentence
    assert done.state is JobState.DONE
    np.testing.assert_array_equal(store.image(done.id).pixels, pixels(2))
    engine.close()
    store.close()


def test_a_store_that_breaks_while_drawing_fails_the_job_and_catches_up_later(store: Store) -> None:
    painter = Painter(steps=0)
    engine = start(store, painter, lease_s=0.4)
    job = engine.submit(ask(1), "ada")
    until(lambda: painter.batches == [[1]])
    with store._database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE events RENAME TO lost")
    painter.let()

    failed = wait_for(engine, job.id)
    with store._database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE lost RENAME TO events")
    until(lambda: store.job(job.id).state is JobState.FAILED, "the stored end")
    done = wait_for(engine, engine.submit(ask(2), "ada").id)

    assert (failed.state, failed.error) == (
        JobState.FAILED,
        "The database could not be used: no such table: events.",
    )
    assert done.state is JobState.DONE
    assert [row.action for row in store.events(subject=job.id)] == ["failed", "submit"]
    assert painter.batches == [[1], [2]]
    engine.close()


def test_a_job_that_this_program_cannot_read_fails_and_stops_no_other(store: Store) -> None:
    store.add_jobs([Job(name, ask(1), "ada", JobState.QUEUED) for name in ("strange", "plain")], "dead")
    store.release_jobs("dead")
    with store._database.writing() as session:
        session.connection().exec_driver_sql("""UPDATE jobs SET request = '{"future":1}' WHERE id = 'strange'""")

    engine = start(store, Painter())

    assert wait_for(engine, "plain").state is JobState.DONE
    with store._database.reading() as session:
        row = session.connection().exec_driver_sql("SELECT state, error, owner FROM jobs WHERE id = 'strange'").one()
    assert tuple(row) == ("failed", "The stored request has unknown fields: future.", None)
    engine.close()

"""Jobs in the store: who may work on which, and what happens to those of a dead engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from synth.store import Store
from synth.types import AuditEvent, GeneratedImage, GenerationRequest, Job, JobState

MakeImage = Callable[..., GeneratedImage]
NEVER = timedelta(days=1)
AT_ONCE = timedelta(seconds=-1)


def job(job_id: str, state: JobState = JobState.QUEUED, error: str | None = None) -> Job:
    return Job(job_id, GenerationRequest(seed=5), "ada", state, error=error)


def event(action: str, subject: str) -> AuditEvent:
    return AuditEvent(datetime(2026, 1, 1, tzinfo=UTC), "ada", action, subject, "")


def test_a_job_runs_from_queued_to_done_with_its_image_and_events(store: Store, make_image: MakeImage) -> None:
    store.add_jobs([job("j1"), job("j2")], "east", [event("submit", "j1"), event("submit", "j2")])
    assert store.open_jobs() == [job("j1"), job("j2")]

    assert store.start_jobs(["j1"], "east") == {"j1"}
    assert store.job("j1").state is JobState.RUNNING
    assert store.finish_job("j1", "east", make_image("i1"), event("done", "j1"))

    assert store.job("j1") == Job("j1", GenerationRequest(seed=5), "ada", JobState.DONE, image_id="i1")
    assert store.open_jobs() == [job("j2")]
    np.testing.assert_array_equal(store.image("i1").pixels, make_image("i1").pixels)
    assert [row.action for row in store.events(subject="j1")] == ["done", "submit"]


def test_a_cancelled_job_keeps_no_image(store: Store, make_image: MakeImage) -> None:
    store.add_jobs([job("j1")], "east")
    store.start_jobs(["j1"], "east")

    assert store.end_job(job("j1", JobState.CANCELLED), event("cancelled", "j1"))
    assert not store.finish_job("j1", "east", make_image("i1"), event("done", "j1"))

    assert store.job("j1") == job("j1", JobState.CANCELLED)
    assert store.count_images() == 0
    assert [row.action for row in store.events()] == ["cancelled"]


def test_a_job_ends_once(store: Store) -> None:
    store.add_jobs([job("j1")], "east")

    ended = [
        store.end_job(job("j1", JobState.FAILED, "The device is gone."), event("failed", "j1")),
        store.end_job(job("j1", JobState.CANCELLED), event("cancelled", "j1")),
    ]

    assert ended == [True, False]
    assert store.job("j1") == job("j1", JobState.FAILED, "The device is gone.")
    assert [row.action for row in store.events()] == ["failed"]


def test_only_the_owner_starts_a_job_and_only_once(store: Store) -> None:
    store.add_jobs([job("j1"), job("j2")], "east")

    assert store.start_jobs(["j1", "j2"], "west") == set()
    assert store.start_jobs(["j1"], "east") == {"j1"}
    assert store.start_jobs(["j1", "j2"], "east") == {"j2"}


def test_a_silent_engine_loses_its_jobs_and_its_late_result(store: Store, make_image: MakeImage) -> None:
    store.add_jobs([job("j1"), job("j2")], "east")
    store.start_jobs(["j1"], "east")

    assert store.adopt_jobs("west", NEVER) == []
    assert store.adopt_jobs("west", AT_ONCE) == [job("j1"), job("j2")]
    assert store.start_jobs(["j1"], "west") == {"j1"}

    assert not store.finish_job("j1", "east", make_image("i1", seed=1), event("done", "j1"))
    assert store.finish_job("j1", "west", make_image("i1", seed=1), event("done", "j1"))
    assert store.count_images() == 1


def test_an_engine_that_says_it_is_alive_keeps_its_jobs(store: Store) -> None:
    store.add_jobs([job("j1")], "east")
    store.add_jobs([job("j2")], "south")
    with store._database.writing() as session:
        session.connection().exec_driver_sql("UPDATE jobs SET seen_at = '2020-01-01 00:00:00.000000'")

    store.renew_jobs("east")

    assert store.adopt_jobs("west", timedelta(seconds=10)) == [job("j2")]


def test_released_jobs_are_adopted_at_once(store: Store) -> None:
    store.add_jobs([job("j1"), job("j2")], "east")
    store.start_jobs(["j1"], "east")

    store.release_jobs("east")

    assert store.adopt_jobs("west", NEVER) == [job("j1"), job("j2")]
    assert store.adopt_jobs("north", NEVER) == []


def test_engines_that_adopt_at_once_share_out_every_job_exactly_once(urls: tuple[str, str]) -> None:
    stores = [Store(*urls) for _ in range(4)]
    jobs = [job(f"j{number:02}") for number in range(40)]
    stores[0].add_jobs(jobs, "dead")
    stores[0].release_jobs("dead")
    gate = threading.Barrier(4)
    won: dict[int, list[str]] = {}

    def adopt(number: int) -> None:
        gate.wait()
        won[number] = [taken.id for taken in stores[number].adopt_jobs(f"engine{number}", NEVER)]

    threads = [threading.Thread(target=adopt, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(job_id for ids in won.values() for job_id in ids) == [taken.id for taken in jobs]
    for store in stores:
        store.close()

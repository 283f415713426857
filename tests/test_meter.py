"""The quota of images: counted for everybody, also for twenty who ask at once, and open again after the hour."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from synth.engine import Engine
from synth.errors import PolicyError, QuotaUsedUp
from synth.meter import Meter
from synth.store import Store
from synth.types import GenerationRequest, Job, JobState

MakeRequest = Callable[..., GenerationRequest]


class Queue:
    """What an engine writes into the store when it is asked, and nothing else."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked = 0

    def submit(self, request: GenerationRequest, user: str, job_id: str = "") -> Job:
        return self.submit_all([request], user)[0]

    def submit_all(self, requests: list[GenerationRequest], user: str, ids: Any = ()) -> list[Job]:
        jobs = [Job(f"{user}-{self.asked + i}", one, user, JobState.QUEUED) for i, one in enumerate(requests)]
        self.asked += len(jobs)
        self._store.add_jobs(jobs, "engine", [job.event("submit", datetime.now(UTC)) for job in jobs])
        return jobs

    def job(self, job_id: str) -> str:
        return f"job {job_id}"

    def cancel(self, job_id: str) -> str:
        return f"cancelled {job_id}"

    def status(self) -> str:
        return "status"


@pytest.fixture
def queue(store: Store) -> Queue:
    return Queue(store)


def meter_of(queue: Queue, store: Store, limit: int, later: timedelta = timedelta(0)) -> Meter:
    return Meter(cast(Engine, queue), store, limit, lambda: datetime.now(UTC) + later)


def test_a_user_gets_as_many_images_an_hour_as_the_house_allows_and_others_theirs(
    queue: Queue, store: Store, make_request: MakeRequest
) -> None:
    meter = meter_of(queue, store, 5)
    meter.submit_all([make_request()] * 3, "ada")
    meter.submit(make_request(), "ada")
    with pytest.raises(QuotaUsedUp, match=r"^ada has asked for 4 images in the last hour and may ask for 5; 2 "):
        meter.submit_all([make_request()] * 2, "ada")
    meter.submit(make_request(), "ada")
    meter.submit_all([make_request()] * 5, "tom")
    with pytest.raises(PolicyError):
        meter.submit(make_request(), "ada")
    assert queue.asked == 10


def test_the_quota_opens_again_after_the_hour(queue: Queue, store: Store, make_request: MakeRequest) -> None:
    meter_of(queue, store, 2).submit_all([make_request()] * 2, "ada")
    with pytest.raises(PolicyError):
        meter_of(queue, store, 2, timedelta(minutes=59)).submit(make_request(), "ada")
    meter_of(queue, store, 2, timedelta(minutes=61)).submit(make_request(), "ada")


def test_twenty_at_once_do_not_slip_past(queue: Queue, store: Store, make_request: MakeRequest) -> None:
    meter = meter_of(queue, store, 7)

    def ask(seed: int) -> bool:
        try:
            meter.submit(replace(make_request(), seed=seed), "ada")
            return True
        except PolicyError:
            return False

    with ThreadPoolExecutor(20) as crowd:
        assert sum(crowd.map(ask, range(20))) == 7
    assert queue.asked == 7


def test_what_is_not_asking_passes_as_it_is(queue: Queue, store: Store) -> None:
    meter = meter_of(queue, store, 1)
    assert (meter.job("a"), meter.cancel("a"), meter.status()) == ("job a", "cancelled a", "status")


def test_without_a_limit_nothing_is_counted(store: Store) -> None:
    queue = Queue(store)
    meter = Meter(cast(Engine, queue), store, None, lambda: datetime.now(UTC))
    assert len(meter.submit_all([GenerationRequest(seed=seed) for seed in range(200)], "ada")) == 200

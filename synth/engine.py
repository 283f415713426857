"""One device thread and one bounded queue: requests go in, stored images come out.

A page submits and polls snapshots; it never waits. The thread takes the oldest job with all that may share its batch,
draws and stores them. Jobs live in the store, so a killed server loses none: the jobs of an engine that has not said
for some seconds that it is alive are claimed by another.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from synth.errors import BusyError, Cancelled, LicenceNotAccepted, StoreError, sentence
from synth.origins import Licence
from synth.store import Store
from synth.types import GeneratedImage, GenerationRequest, Job, JobState, ModelCard, Step

if TYPE_CHECKING:  # both import torch, which the device thread alone may wait for
    from synth.diffusion.model import Model
    from synth.generate import Order

LoadModel = Callable[[], "Model"]
GenerateBatch = Callable[["Model", Sequence["Order"], datetime, Callable[[Step], None]], list[GeneratedImage]]
Compatible = Callable[[GenerationRequest, GenerationRequest], bool]

ENDED_KEPT = 256  # snapshots of ended jobs in memory; older ones are read from the store
CLOSING_S = 10.0  # how long `close` waits for the step that is being computed
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine is doing. `device`, `model_id` and `card` are empty until the model is ready."""

    device: str
    model_id: str
    model_state: Literal["loading", "ready", "failed"]
    load_count: int  # how often weights were loaded in the life of this engine
    waiting: int
    running: int
    error: str | None  # one sentence, why the model could not be loaded
    card: ModelCard | None
    licence: Licence | None = None  # the model waits until somebody accepts it


class Engine:
    """Owner of the model and the queue in front of it. Every method may be called from any thread."""

    def __init__(
        self,
        store: Store,
        load_model: LoadModel,
        generate_batch: GenerateBatch,
        compatible: Compatible,
        queue_size: int = 32,
        max_batch: int = 8,
        lease_s: float = 8.0,
    ) -> None:
        """Start the device thread, which loads the model first, and take over jobs that an engine has left.

        `queue_size` jobs may wait; an engine that was silent for `lease_s` seconds counts as dead. Raises StoreError.
        """
        self._store = store
        self._load_model = load_model
        self._generate_batch = generate_batch
        self._compatible = compatible
        self._queue_size = queue_size
        self._max_batch = max_batch
        self._lease = timedelta(seconds=lease_s)
        self._owner = uuid.uuid4().hex
        self._model: Model | None = None  # written by the device thread alone, as the next three
        self._licence: Licence | None = None
        self._load_error: str | None = None  # `reload` clears it
        self._load_count = 0
        self._stop = threading.Event()
        self._submitting = threading.Lock()  # keeps the order of the store and of the queue the same
        self._changed = threading.Condition()  # guards the two below
        self._open: dict[str, Job] = {}  # queued and running, oldest first
        self._ended: OrderedDict[str, Job] = OrderedDict()
        self._adopt()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._work, self._keep_alive)]
        for thread in self._threads:
            thread.start()

    def submit(self, request: GenerationRequest, user: str, job_id: str = "") -> Job:
        """Queue one request: see `submit_all`. A `job_id` that is taken raises StoreError."""
        return self.submit_all([request], user, [job_id or uuid.uuid4().hex])[0]

    def submit_all(self, requests: Sequence[GenerationRequest], user: str, ids: Sequence[str] = ()) -> list[Job]:
        """Queue requests together, so that they can share a batch; all or none. An image will have its job's id.

        Raises BusyError when the queue is full, StoreError.
        """
        named = zip(ids or [uuid.uuid4().hex for _ in requests], requests, strict=True)
        jobs = [Job(job_id, request, user, JobState.QUEUED, total=request.steps) for job_id, request in named]
        with self._submitting:
            self._check_room(len(jobs))
            self._store.add_jobs(jobs, self._owner, [job.event("submit", datetime.now(UTC)) for job in jobs])
            self._enqueue(jobs)
        return [self.job(job.id) for job in jobs]

    def job(self, job_id: str) -> Job:
        """The job as it is now. Raises StoreError when it is unknown."""
        with self._changed:
            job = self._open.get(job_id) or self._ended.get(job_id)
            if job is not None and job.state is JobState.QUEUED:
                queued = [other.id for other in self._queued()]
                return replace(job, position=len(self._open) - len(queued) + queued.index(job_id))
        return job or self._store.job(job_id)

    def cancel(self, job_id: str) -> Job:
        """Stop a job, queued or running; one that has ended stays as it is. The rest of its batch goes on."""
        if (job := self.job(job_id)).state in (JobState.QUEUED, JobState.RUNNING):
            self._end(job, JobState.CANCELLED, None)
        return self.job(job_id)

    def status(self) -> EngineStatus:
        """Device, model and queue at this moment."""
        with self._changed:
            model, error, waiting = self._model, self._load_error, len(self._queued())
            return EngineStatus(
                device=str(model.device) if model else "",
                model_id=model.card.id if model else "",
                model_state="ready" if model else "failed" if error else "loading",
                load_count=self._load_count,
                waiting=waiting,
                running=len(self._open) - waiting,
                error=error,
                card=model.card if model else None,
                licence=self._licence if error else None,
            )

    def reload(self) -> None:
        """Load the model once more after it could not be; jobs that are asked for meanwhile wait for it."""
        with self._changed:
            self._load_error = None
            self._changed.notify_all()

    def close(self) -> None:
        """Stop after the step that is being computed; unfinished jobs go back to the store for the next engine."""
        with self._submitting, self._changed:
            self._stop.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(CLOSING_S)
        self._store.release_jobs(self._owner)

    def _work(self) -> None:
        while not self._stop.is_set():
            if self._to_load():
                self._load()
            while batch := self._next_batch():
                try:
                    self._serve(batch)
                except Exception as error:
                    reason = sentence(error, "The image could not be made", log)
                    for job in batch:
                        self._fail(job, reason)

    def _load(self) -> None:
        self._load_count += 1
        try:
            self._model = self._load_model()
        except Exception as error:
            self._licence = error.licence if isinstance(error, LicenceNotAccepted) else None
            self._load_error = sentence(error, "The model could not be loaded", log)

    def _to_load(self) -> bool:
        return self._model is None and self._load_error is None

    def _next_batch(self) -> list[Job]:
        """The oldest waiting job and those that may share its batch, marked as running; empty to close or reload."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop.is_set() or self._to_load() or self._queued())
            if self._stop.is_set() or self._to_load():
                return []
            first, *others = self._queued()
            partners = [job for job in others if self._compatible(first.request, job.request)]
            most = min(self._max_batch, self._model.max_batch if self._model else 1)
            batch = [replace(job, state=JobState.RUNNING) for job in [first, *partners][:most]]
            self._open.update((job.id, job) for job in batch)
            return batch

    def _serve(self, batch: Sequence[Job]) -> None:
        if self._model is None:
            for job in batch:
                self._fail(job, self._load_error or "The model is loaded anew; ask again.")
            return
        started = self._store.start_jobs([job.id for job in batch], self._owner)
        for job in batch:
            if job.id not in started:  # cancelled just now, or claimed by an engine that thought us dead
                self._forget(job)
        self._draw([job for job in batch if job.id in started])

    def _draw(self, jobs: Sequence[Job]) -> None:
        """Make and store the images; a batch that fails is drawn one by one, so that one bad job spoils no other."""
        failure = self._attempt(jobs) if jobs else None
        if failure is None or self._stop.is_set():
            return
        for job in jobs:
            if len(jobs) == 1:
                self._fail(job, failure)
            elif job.id in self._open:
                self._draw([job])

    def _attempt(self, jobs: Sequence[Job]) -> str | None:
        """One run of the model. Returns why it failed: a sentence, as the exception would keep tensors alive."""
        from synth.generate import Order

        assert self._model is not None
        try:
            orders = [Order(job.request, job.user, job.id, self._store.base(job.request)) for job in jobs]
            images = self._generate_batch(self._model, orders, datetime.now(UTC), partial(self._on_step, jobs))
        except Exception as error:
            return sentence(error, "The image could not be made", log)
        for job, image in zip(jobs, images, strict=True):
            self._finish(job, image)
        return None

    def _on_step(self, jobs: Sequence[Job], step: Step) -> None:
        with self._changed:
            living = [(row, self._open[job.id]) for row, job in enumerate(jobs) if job.id in self._open]
            if self._stop.is_set() or not living:
                raise Cancelled("The job was cancelled.")
            for row, job in living:
                preview = None if step.preview is None else step.preview[row]
                self._open[job.id] = replace(job, step=step.index, total=step.total, preview=preview)

    def _finish(self, job: Job, image: GeneratedImage) -> None:
        try:
            kept = self._store.finish_job(job.id, self._owner, image, job.event("done", datetime.now(UTC)))
        except StoreError as error:
            self._fail(job, sentence(error, "The image could not be stored", log))
            return
        done = replace(job, state=JobState.DONE, step=job.total, image_id=image.id)
        self._forget(job, done if kept else None)

    def _check_room(self, count: int) -> None:
        with self._changed:
            if self._stop.is_set():
                raise BusyError("The engine is shutting down; ask again when it is back.")
            free = max(0, self._queue_size - len(self._queued()))
            if count > free:
                have = f"{free} of {self._queue_size} places are free and {count} were asked for"
                raise BusyError(f"The queue is full: {have}; try again in a minute.")

    def _enqueue(self, jobs: Sequence[Job]) -> None:
        with self._changed:
            self._open.update((job.id, job) for job in jobs)
            self._changed.notify_all()

    def _queued(self) -> list[Job]:
        return [job for job in self._open.values() if job.state is JobState.QUEUED]

    def _fail(self, job: Job, reason: str) -> None:
        if job.id in self._open:  # else it was cancelled meanwhile
            self._end(job, JobState.FAILED, reason)

    def _end(self, job: Job, state: JobState, error: str | None) -> None:
        ended = replace(job, state=state, error=error, position=0, preview=None)
        try:
            written = self._store.end_job(ended, job.event(state.value, datetime.now(UTC)))
        except StoreError:  # a full disk must not keep the user from seeing how the job ended
            log.exception("the end of job %s could not be stored", job.id)
            written = True
        self._forget(job, ended if written else None)

    def _forget(self, job: Job, ended: Job | None = None) -> None:
        """Out of the queue; `ended` is the last snapshot, None when the store knows better."""
        with self._changed:
            self._open.pop(job.id, None)
            if ended is not None:
                self._ended[job.id] = ended
            while len(self._ended) > ENDED_KEPT:
                self._ended.popitem(last=False)

    def _keep_alive(self) -> None:
        while not self._stop.wait(self._lease.total_seconds() / 4):
            try:
                if self._open:
                    self._store.renew_jobs(self._owner)
                if self._load_error is None:  # without a model it would only fail the jobs of others
                    self._adopt()
            except StoreError:
                log.warning("the store did not answer; trying again", exc_info=True)

    def _adopt(self) -> None:
        for job in self._store.adopt_jobs(self._owner, self._lease):
            ended = self._ended.get(job.id)
            if ended is None:
                self._enqueue([replace(job, total=job.request.steps)])
            else:  # its end could not be stored at the time
                self._end(ended, ended.state, ended.error)

"""The making of cases in the background: one picture at a time, and none while somebody waits for one of their own.

Every picture has a job whose id follows from who it is for, what is asked and which attempt it is. So a killed server
finds its jobs again, two servers on one database never draw a picture twice, and equal requests share one.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path

from synth.casework.drawing import anew, flaw, lesion_request, misplaced, unseen
from synth.casework.starter import FILE, STARTER_OWNER, starter
from synth.engine import Engine
from synth.errors import BusyError, Cancelled, ModelError, PolicyError, RequestError, StoreError, SynthError
from synth.governance.release import Use
from synth.reading.cases import Entry, Recipe, Standing
from synth.reading.items import opaque_id
from synth.store import Store
from synth.types import GeneratedImage, GenerationRequest, Job, JobState

OPEN = (JobState.QUEUED, JobState.RUNNING)
ATTEMPTS = 3  # at one picture: a device can be short of memory for a moment
SEEDS = 3  # of one case, until one passes its checks
CLOSING_S = 5.0
log = logging.getLogger(__name__)


class Maker:
    """Draws the waiting entries of all case sets, the oldest first. Every method may be called from any thread."""

    def __init__(
        self, store: Store, engine: Engine, starter_file: Path | None = FILE, poll_s: float = 0.25, idle_s: float = 20.0
    ) -> None:
        """Start the thread. `starter_file`: the set to keep in the store first, where it is not.

        It looks every `poll_s` seconds at what is being drawn, every `idle_s` for entries of other servers, and waits
        that long after the store has refused something.
        """
        self._store = store
        self._engine = engine
        self._starter_file = starter_file
        self._poll_s, self._idle_s = poll_s, idle_s
        self._owners: dict[str, str] = {}  # entry id -> who its pictures are drawn for
        self._asked: Counter[str] = Counter()  # request digest -> attempts of this maker
        self._seeds: Counter[str] = Counter()  # entry id -> seeds that failed
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="maker")
        self._thread.start()

    def wake(self) -> None:
        """Look for new entries at once."""
        self._woken.set()

    def redraw(self, set_id: str, entry: Entry) -> Entry:
        """The entry with new seeds, waiting to be drawn; one of a series keeps the picture that the series shares.

        Raises RequestError where it is a real image or was changed meanwhile, StoreError.
        """
        if entry.recipe is None:
            raise RequestError("A real image is not drawn; take it out of the set instead.")
        others = (other for other in self._store.casebook.case_set(set_id).entries if other.id != entry.id)
        shared = bool(entry.recipe.outline) and any(
            other.recipe is not None and other.recipe.outline and other.recipe.request == entry.recipe.request
            for other in others
        )
        self._seeds.pop(entry.id, None)
        after = _waiting(entry, anew(entry.recipe, keep_base=shared))
        if not self._store.casebook.change_entry(entry, after):
            raise RequestError("The case was changed meanwhile; look at it again.")
        self.wake()
        return after

    def close(self) -> None:
        """Stop; what is being drawn is left to the engine."""
        self._stop.set()
        self._woken.set()
        self._thread.join(CLOSING_S)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                rest = self._turn()
            except SynthError as error:  # a full disk, a busy database, a full queue: none of them lasts
                log.warning("cases wait: %s", error)
                rest = self._idle_s
            except Exception:
                log.exception("cases wait")
                rest = self._idle_s
            self._woken.wait(rest)
            self._woken.clear()

    def _turn(self) -> float:
        """One look at the oldest waiting entry, the shipped ones last; returns how long to rest, in s."""
        status = self._engine.status()
        if status.model_state != "ready":
            return self._poll_s if status.model_state == "loading" else self._idle_s
        if self._starter_file is not None:
            self._begin(self._starter_file, status.model_id)
        if status.waiting or status.running:
            return self._poll_s
        waiting = self._store.casebook.waiting_entries()
        for entry in sorted(waiting, key=lambda entry: self._owner(entry) == STARTER_OWNER):
            if entry.recipe is not None and (after := self._advanced(entry, entry.recipe)) is not None:
                if after != entry:
                    self._store.casebook.change_entry(entry, after)
                return 0.0 if after.standing is not Standing.WAITING else self._poll_s
        return self._idle_s

    def _begin(self, file: Path, model_id: str) -> None:
        """Keep the starter set; what of it could not be drawn in an earlier life of the server is tried again."""
        casebook = self._store.casebook
        try:
            shipped = starter(model_id, file)
        except RequestError as error:
            log.error("%s", error)
            self._starter_file = None
            return
        kept = next((made for made in casebook.sets() if made.id == shipped.id), None)
        if kept is None:
            casebook.add_set(shipped)  # refused where another server was faster: then it is found next time
        for entry in kept.entries if kept else ():
            if entry.standing is Standing.FAILED:
                casebook.change_entry(entry, replace(entry, standing=Standing.WAITING, problem=""))
        self._starter_file = None

    def _advanced(self, entry: Entry, recipe: Recipe) -> Entry | None:
        """The entry one step further; None where it has left its set."""
        owner = self._owner(entry)
        if owner is None:
            return None
        named = [self._job(name) for name in (entry.job, entry.base_job) if name]
        if any(job is not None and job.state in OPEN for job in named):
            return entry
        try:
            return self._drawn(entry, recipe, owner)
        except (BusyError, StoreError):
            raise
        except SynthError as error:
            return replace(entry, standing=Standing.FAILED, problem=str(error))
        except Exception as error:  # or it would hold up all that come after it
            log.exception("case %s", entry.id)
            problem = f"The case could not be drawn because of an unexpected {type(error).__name__}."
            return replace(entry, standing=Standing.FAILED, problem=problem)

    def _drawn(self, entry: Entry, recipe: Recipe, owner: str) -> Entry:
        job, base = self._picture(recipe.request, owner)
        entry = replace(entry, base_job=job) if recipe.outline else replace(entry, job=job)
        if base is None:
            return entry
        if problem := self._flaw(base) or (misplaced(recipe, base) if recipe.outline else ""):
            return self._again(entry, recipe, problem, keep_base=False)
        if recipe.outline:
            job, image = self._picture(lesion_request(recipe, base, self._store), owner)
            entry = replace(entry, job=job)
            if image is None:
                return entry
            if problem := self._flaw(image) or unseen(recipe, base, image):
                return self._again(entry, recipe, problem, keep_base=True)
        ready = Standing.APPROVED if owner == STARTER_OWNER else Standing.PROPOSED
        return replace(entry, standing=ready, problem="")

    def _picture(self, request: GenerationRequest, owner: str) -> tuple[str, GeneratedImage | None]:
        """The job that draws a request and, once it has ended, its image; no job while others are being served.

        Raises ModelError where it cannot be drawn, Cancelled, BusyError, StoreError.
        """
        problem = ""
        for attempt in count():
            job_id = opaque_id(owner, request.digest(), str(attempt))
            job = self._job(job_id)
            if job is None:
                return self._submitted(request, owner, job_id, problem), None
            if job.state in OPEN:
                return job_id, None
            if job.state is JobState.CANCELLED:
                raise Cancelled("The drawing of this case was cancelled; draw it again with another seed.")
            try:
                if job.state is JobState.DONE:
                    return job_id, self._store.image(job_id)
            except StoreError as error:  # deleted or damaged: the next attempt draws it anew
                log.info("%s", error)
            problem = job.error or "The image of this case was lost."
        raise AssertionError("attempts have no end")

    def _submitted(self, request: GenerationRequest, owner: str, job_id: str, problem: str) -> str:
        """The id of the job that was submitted, empty where the engine has something else to do."""
        if self._asked[request.digest()] >= ATTEMPTS:
            raise ModelError(problem)
        status = self._engine.status()
        if status.waiting or status.running:
            return ""
        self._engine.submit(request, owner, job_id)
        self._asked[request.digest()] += 1
        return job_id

    def _again(self, entry: Entry, recipe: Recipe, problem: str, keep_base: bool) -> Entry:
        """The entry with the next seeds, or failed after some."""
        self._seeds[entry.id] += 1
        if self._seeds[entry.id] < SEEDS:
            return _waiting(entry, anew(recipe, keep_base))
        del self._seeds[entry.id]
        return replace(entry, standing=Standing.FAILED, problem=problem)

    def _flaw(self, image: GeneratedImage) -> str:
        """Why an image cannot be in a case set, in one sentence; empty where it can."""
        try:
            self._store.validation.release(image.id).require(Use.SETS)
        except PolicyError as error:
            return flaw(image) or str(error)
        return flaw(image)

    def _job(self, job_id: str) -> Job | None:
        """The job, None where there is none; a store that is out of order is met again by whoever writes."""
        try:
            return self._engine.job(job_id)
        except StoreError:
            return None

    def _owner(self, entry: Entry) -> str | None:
        if entry.id not in self._owners:
            self._owners = {e.id: made.owner for made in self._store.casebook.sets() for e in made.entries}
        return self._owners.get(entry.id)


def _waiting(entry: Entry, recipe: Recipe) -> Entry:
    return replace(entry, recipe=recipe, standing=Standing.WAITING, job="", base_job="", problem="")

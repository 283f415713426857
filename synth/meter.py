"""The engine as people may use it: what each asks for in an hour is counted in the audit trail first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from synth.engine import Engine, EngineStatus
from synth.governance.quotas import HOUR, require_room
from synth.store import Store
from synth.types import GenerationRequest, Job


class Meter:
    """The calls of an engine that pages make. Counting and asking are one step, so that many at once do not slip by."""

    def __init__(self, engine: Engine, store: Store, limit: int | None, clock: Callable[[], datetime]) -> None:
        """`limit` images an hour for each user, None for any number; `clock` gives the time with its zone."""
        self._engine, self._store, self._limit, self._clock = engine, store, limit, clock
        self._counting = threading.Lock()

    def submit(self, request: GenerationRequest, user: str, job_id: str = "") -> Job:
        """See `Engine.submit`. Raises PolicyError where the hour's images are used up."""
        with self._counting:
            self._count(user, 1)
            return self._engine.submit(request, user, job_id)

    def submit_all(self, requests: Sequence[GenerationRequest], user: str, ids: Sequence[str] = ()) -> list[Job]:
        """See `Engine.submit_all`. Raises PolicyError where the hour's images are used up."""
        with self._counting:
            self._count(user, len(requests))
            return self._engine.submit_all(requests, user, ids)

    def job(self, job_id: str) -> Job:
        """See `Engine.job`."""
        return self._engine.job(job_id)

    def cancel(self, job_id: str) -> Job:
        """See `Engine.cancel`."""
        return self._engine.cancel(job_id)

    def status(self) -> EngineStatus:
        """See `Engine.status`."""
        return self._engine.status()

    def _count(self, user: str, count: int) -> None:
        if self._limit is None:
            return
        since = self._clock() - HOUR
        require_room(user, self._store.submitted(user, since), count, self._limit)

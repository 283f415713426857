"""Imports at work: one thread takes them in turn, processes read the files, the store keeps what became of each."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from synth import keys
from synth.errors import RequestError, StoreError, SynthError
from synth.intake.orders import Order
from synth.intake.pool import Crashed, Pool
from synth.intake.worker import Done, Task, work
from synth.library.sources import Candidate, candidates, labels_beside
from synth.origins import AuditEvent
from synth.store import FileOutcome, Import, ImportState, Outcome, Store

SILENCE = timedelta(seconds=60)  # after which another process takes over what its owner no longer speaks of
LOOK_S = 2.0  # between two looks for work that another process began
BATCH = 32  # files a transaction
BATCH_S = 0.5
ARRIVING = "arriving"
RECENT = 1000  # imports among which those of arriving folders are

log = logging.getLogger(__name__)


class Importer:
    """The imports of one server process. Every method may be called from any thread."""

    def __init__(self, store: Store, home: Path, blob_url: str, workers: int = 0) -> None:
        """`workers` processes read files, 0 for as many as there are cores, four at most."""
        self._store, self._home, self._blob_url = store, home, blob_url
        self._workers = workers or min(4, os.cpu_count() or 1)
        self._owner = uuid.uuid4().hex
        self._called, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name="importer", daemon=True)
        self._thread.start()

    def begin(self, order: Order, user: str) -> str:
        """Start an import; returns its id. Raises RequestError where the source is not there, StoreError."""
        if not order.source.exists():
            raise RequestError(f"{order.source} is not there; give a folder or a file on the computer of the server.")
        name = uuid.uuid4().hex
        detail = {key: value for key, value in order.as_json().items() if key not in ("source", "title")}
        self._store.imports.begin(user, order.as_json(), _event(user, "library.import", name, detail), name)
        self._called.set()
        return name

    def stop(self, import_id: str, user: str) -> None:
        """Stop an import; what is through stays."""
        self._store.imports.stop(import_id, _event(user, "library.import.stop", import_id))

    def resume(self, import_id: str, user: str) -> None:
        """Go on with a stopped or failed import where it was."""
        self._store.imports.resume(import_id, _event(user, "library.import.resume", import_id))
        self._called.set()

    def arriving(self, name: str = "") -> Path:
        """A new empty folder for files on their way in; an order with `own_copy` deletes it at its end."""
        folder = self._home / ARRIVING / f"{name}{uuid.uuid4().hex}"
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise StoreError(f"There is no place for arriving files in {self._home}: {error.strerror}.") from error
        return folder

    def forgotten(self, name: str) -> list[Path]:
        """Folders of `arriving(name)` that no import knows: the server was killed before one began."""
        known = {one.order.get("source") for one in self._store.imports.latest(RECENT)}
        return [path for path in sorted((self._home / ARRIVING).glob(f"{name}*")) if str(path) not in known]

    def close(self) -> None:
        """Stop working; an import under way goes on when the next process starts."""
        self._closing.set()
        self._called.set()
        self._thread.join(timeout=30)

    def _loop(self) -> None:
        while not self._closing.is_set():
            try:
                claimed = self._store.imports.claim(self._owner, SILENCE)
                if claimed is not None:
                    self._import(claimed)
                    continue
            except StoreError as error:
                log.warning("Imports wait: %s", error)  # a page that asks the store says it on the screen
            self._called.wait(LOOK_S)
            self._called.clear()
        with suppress(StoreError):  # what is not released is taken over after a minute
            self._store.imports.release(self._owner)

    def _import(self, claimed: Import) -> None:
        try:
            order = Order.from_json(claimed.order)
            state, error = self._work_off(claimed, order), ""
        except SynthError as problem:
            state, error = ImportState.FAILED, str(problem)
        except Exception as problem:  # a thread that dies would leave every later import waiting
            log.exception("An import failed")
            state, error = ImportState.FAILED, f"The import ended by an error of the program: {problem!r}."
        if state is None:
            return
        event = _event(claimed.user, f"library.import.{state}", claimed.id)
        ended = self._store.imports.end(claimed.id, self._owner, state, error, event)
        if ended and state is ImportState.DONE and order.own_copy:
            shutil.rmtree(order.source, ignore_errors=True)

    def _work_off(self, claimed: Import, order: Order) -> ImportState | None:
        """Every file that is not through yet. None where the import is no longer ours or the server ends."""
        through = self._store.imports.through(claimed.id)
        found = list(candidates(order.source))
        left = [candidate for candidate in found if candidate.name not in through]
        pool: Pool[Task, Done] = Pool(work, max(1, min(self._workers, len(left))))
        try:
            batch: list[Done] = []
            since = datetime.now(UTC)
            for done in self._results(pool, self._tasks(left, order)):
                if self._closing.is_set():
                    return None
                if done.full:
                    raise StoreError(done.full)
                batch.append(done)
                if len(batch) >= BATCH or (datetime.now(UTC) - since).total_seconds() > BATCH_S:
                    if not self._record(claimed, batch, len(found)):
                        return None
                    batch, since = [], datetime.now(UTC)
            return ImportState.DONE if self._record(claimed, batch, len(found)) else None
        finally:
            pool.close()

    def _tasks(self, left: list[Candidate], order: Order) -> Iterator[Task]:
        rows = labels_beside(order.source)
        rules = order.rules(keys.secret(self._home, keys.PSEUDONYMS))
        for candidate in left:
            row = dict(rows.get(candidate.name, {}))
            yield Task(
                candidate, rules, self._blob_url, order.origin, order.licence, order.attribution, order.volumes, row
            )

    def _results(self, pool: Pool[Task, Done], tasks: Iterator[Task]) -> Iterator[Done]:
        for result in pool.run(tasks):
            if isinstance(result, Crashed):
                name = result.task.candidate.name
                yield Done(FileOutcome(name, Outcome.REFUSED, f"{name} is refused: {result.reason}."))
            else:
                yield result

    def _record(self, claimed: Import, batch: list[Done], total: int) -> bool:
        """Keep a batch; False where the import is not ours any more."""
        added = {
            holding.image.id: {"codes": done.codes, "flags": done.flags}
            for done in batch
            for holding in done.file.holdings
        }
        events = [_event(claimed.user, "library.add", claimed.id, {"images": added})] if added else []
        kept = self._store.imports.record(claimed.id, self._owner, [done.file for done in batch], total, events)
        if kept is None:
            return False
        self._store.holdings.forget(
            [holding for file in kept if file.outcome is Outcome.DUPLICATE for holding in file.holdings]
        )
        return True


def _event(user: str, action: str, subject: str, detail: dict[str, object] | None = None) -> AuditEvent:
    return AuditEvent(datetime.now(UTC), user, action, subject, "", detail or {})

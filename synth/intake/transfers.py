"""Work that a page starts and looks at later: each piece in a thread, what it has done as one frozen value."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum

from synth.errors import BusyError, SynthError

AT_ONCE = 2  # transfers under way; others wait
REMEMBERED = 50  # ended ones
WAITING_MAX = 20


class Stage(StrEnum):
    """Where a transfer stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer as it stands. `problems` are sentences about single files; the others arrived."""

    id: str
    kind: str  # "retrieve" | "push" | "download"
    title: str
    user: str
    stage: Stage = Stage.WAITING
    done: int = 0  # files
    total: int | None = None
    done_bytes: int = 0
    total_bytes: int | None = None
    sentence: str = ""  # how it ended
    problems: tuple[str, ...] = ()
    import_id: str = ""  # of the import of what arrived
    outcomes: tuple[tuple[str, str, str], ...] = ()  # of a push: image, what became of it, why not
    subject: str = ""  # what it works on, where its kind names one

    @property
    def live(self) -> bool:
        """True while it waits or runs."""
        return self.stage in (Stage.WAITING, Stage.RUNNING)


class Line:
    """How a piece of work speaks: it tells how far it is, and hears whether it is to stop."""

    def __init__(self, tell: Callable[[Callable[[Transfer], Transfer]], None], stopped: threading.Event) -> None:
        self._tell, self._stopped = tell, stopped

    def progress(self, done: int, total: int | None = None) -> None:
        """Files that are through, and how many there are in all where that is known by now."""
        self._tell(lambda now: replace(now, done=done, total=now.total if total is None else total))

    def size(self, done_bytes: int, total_bytes: int | None = None) -> None:
        """The same in bytes."""
        self._tell(
            lambda now: replace(
                now, done_bytes=done_bytes, total_bytes=now.total_bytes if total_bytes is None else total_bytes
            )
        )

    def arrived(self, import_id: str) -> None:
        """What arrived is being imported."""
        self._tell(lambda now: replace(now, import_id=import_id))

    def outcome(self, name: str, state: str, reason: str) -> None:
        """What became of one named thing, and why where it failed."""
        self._tell(lambda now: replace(now, outcomes=(*now.outcomes, (name, state, reason))))

    def problem(self, sentence: str) -> None:
        """One file did not make it."""
        self._tell(lambda now: replace(now, problems=(*now.problems, sentence)))

    def stopped(self) -> bool:
        """True once the user wants it to end."""
        return self._stopped.is_set()


Work = Callable[[Line], str]  # returns the sentence of its end; raises SynthError


class Transfers:
    """The transfers of one server process. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, Transfer] = {}
        self._stops: dict[str, threading.Event] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, "transfer")

    def start(self, kind: str, title: str, user: str, work: Work, subject: str = "") -> str:
        """Have a piece of work done; returns its id. Raises BusyError when too many wait."""
        name, stop = uuid.uuid4().hex, threading.Event()
        with self._lock:
            if sum(one.live for one in self._all.values()) >= WAITING_MAX:
                raise BusyError(f"{WAITING_MAX} transfers wait already; try again when one of them is through.")
            for ended in [one.id for one in self._all.values() if not one.live][: -REMEMBERED or None]:
                del self._all[ended], self._stops[ended]
            self._all[name], self._stops[name] = Transfer(name, kind, title, user, subject=subject), stop
        self._threads.submit(self._run, name, work, stop)
        return name

    def get(self, name: str) -> Transfer | None:
        """The transfer as it stands; None where this process does not know it (any more)."""
        with self._lock:
            return self._all.get(name)

    def latest(self, *kinds: str) -> list[Transfer]:
        """Those of these kinds, newest first."""
        with self._lock:
            return [one for one in reversed(self._all.values()) if one.kind in kinds]

    def stop(self, name: str) -> None:
        """Ask a transfer to end; what arrived stays."""
        with self._lock:
            if name in self._stops:
                self._stops[name].set()

    def close(self) -> None:
        """Ask all to end and wait for them."""
        for stop in list(self._stops.values()):
            stop.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _run(self, name: str, work: Work, stop: threading.Event) -> None:
        def tell(change: Callable[[Transfer], Transfer]) -> None:
            with self._lock:
                self._all[name] = change(self._all[name])

        tell(lambda now: replace(now, stage=Stage.RUNNING))
        try:
            sentence = "" if stop.is_set() else work(Line(tell, stop))
            stage = Stage.STOPPED if stop.is_set() else Stage.DONE
        except SynthError as error:
            sentence, stage = str(error), Stage.FAILED
        except Exception as error:  # a thread has nobody else to tell
            sentence, stage = f"It ended by an error of the program: {error!r}.", Stage.FAILED
        tell(lambda now: replace(now, stage=stage, sentence=sentence))

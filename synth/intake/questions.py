"""Questions to other computers that a page asks and hears the answer of later: each in a thread, none hangs a page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from synth.errors import BusyError, SynthError

AT_ONCE = 16  # a PACS that does not answer holds its thread until its time is up

T = TypeVar("T")
_free = threading.BoundedSemaphore(AT_ONCE)


class Question(Generic[T]):
    """One question. The answer is kept here and nowhere else: it may hold identifiers."""

    def __init__(self, ask: Callable[[], T]) -> None:
        """Ask. Raises BusyError when too many questions are open."""
        if not _free.acquire(blocking=False):
            raise BusyError(f"{AT_ONCE} questions to archives are open already; wait for their answers.")
        self._ask, self._over = ask, threading.Event()
        self._answer: list[T] = []
        self._error: SynthError | None = None
        # a daemon: a PACS that keeps silent does not keep the server from ending
        threading.Thread(target=self._run, name="question", daemon=True).start()

    @property
    def over(self) -> bool:
        """True when there is an answer or an error."""
        return self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; True when it is over."""
        return self._over.wait(seconds)

    def answer(self) -> T:
        """The answer, once it is over. Raises the SynthError that it ended with."""
        self._over.wait()
        if self._error is not None:
            raise self._error
        return self._answer[0]

    def _run(self) -> None:
        try:
            self._answer.append(self._ask())
        except SynthError as error:
            self._error = error
        except Exception as error:  # a thread has nobody else to tell; the text may hold identifiers
            self._error = SynthError(f"The question ended by an error of the program ({type(error).__name__}).")
        finally:
            _free.release()
            self._over.set()

"""Processes that read files: one that a hostile file brings down costs that file, not the server."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from loky import ProcessPoolExecutor  # unlike multiprocessing's, its processes do not run the main module again
from loky.process_executor import BrokenProcessPool

FILE_S = 120.0  # the longest that one file may take
IDLE_S = 30  # after which a process without work ends

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Crashed(Generic[T]):
    """A piece of work that brought its process down, or took too long."""

    task: T
    reason: str


class Pool(Generic[T, R]):
    """`work` on many tasks in `workers` processes, a few at a time so that memory stays flat."""

    def __init__(self, work: Callable[[T], R], workers: int, seconds: float = FILE_S) -> None:
        """`seconds`: the longest that one task may take."""
        self._work, self._workers, self._seconds = work, workers, seconds
        self._processes = self._started(workers)

    def run(self, tasks: Iterable[T]) -> Iterator[R | Crashed[T]]:
        """Results as they come. What was at work when a process died is tried again, each alone."""
        waiting, flying = iter(tasks), dict[Future[R], tuple[T, float]]()
        again: deque[T] = deque()
        while True:
            for task in waiting:
                flying[self._processes.submit(self._work, task)] = (task, monotonic())
                if len(flying) >= 2 * self._workers:
                    break
            if not flying:
                return
            done, _ = wait(flying, timeout=self._seconds, return_when=FIRST_COMPLETED)
            broken = not done or any(isinstance(future.exception(), BrokenProcessPool) for future in done)
            for future in done:
                task, _ = flying.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    again.append(task)
                else:
                    yield future.result()
            if broken:
                again.extend(task for task, _ in flying.values())
                flying.clear()
                self._restart()
                while again:
                    yield self.one(again.popleft())

    def one(self, task: T) -> R | Crashed[T]:
        """The result of a task that has the processes for itself."""
        try:
            result: R = self._processes.submit(self._work, task).result(timeout=self._seconds)
            return result
        except (BrokenProcessPool, TooLate) as error:
            self._restart()
            late = isinstance(error, TooLate)
            return Crashed(task, f"it took more than {self._seconds:.0f} s" if late else "its decoder crashed on it")

    def close(self) -> None:
        """End the processes."""
        self._processes.shutdown(kill_workers=True)

    def _restart(self) -> None:
        self._processes.shutdown(kill_workers=True)
        self._processes = self._started(self._workers)

    def _started(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(workers, timeout=IDLE_S)

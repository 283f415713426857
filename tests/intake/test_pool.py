"""Processes that read files: what a crash and a hang cost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from synth.intake.pool import Crashed, Pool


def double(number: int) -> int:
    if number == 13:
        os._exit(1)
    if number == 77:
        time.sleep(60)
    return 2 * number


@pytest.fixture
def pool() -> Iterator[Pool[int, int]]:
    opened: Pool[int, int] = Pool(double, 2, 3.0)
    yield opened
    opened.close()


def test_every_task_has_its_result(pool: Pool[int, int]) -> None:
    harmless = [number for number in range(100) if number not in (13, 77)]
    results = [result for result in pool.run(harmless) if isinstance(result, int)]
    assert sorted(results) == [2 * number for number in (*range(13), *range(14, 77), *range(78, 100))]


def test_a_task_that_ends_its_process_costs_itself_alone(pool: Pool[int, int]) -> None:
    results = list(pool.run(range(10, 20)))
    assert sorted(r for r in results if isinstance(r, int)) == [2 * n for n in range(10, 20) if n != 13]
    assert [r for r in results if isinstance(r, Crashed)] == [Crashed(13, "its decoder crashed on it")]


def test_a_task_that_does_not_end_is_ended(pool: Pool[int, int]) -> None:
    results = list(pool.run([1, 77, 2]))
    assert sorted(r for r in results if isinstance(r, int)) == [2, 4]
    assert [r for r in results if isinstance(r, Crashed)] == [Crashed(77, "it took more than 3 s")]


def test_tasks_are_taken_as_they_are_needed(pool: Pool[int, int]) -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(12 + 13, 200):
            taken.append(number)
            yield number

    results = pool.run(tasks())
    next(results)
    assert len(taken) <= 5
    results.close()  # type: ignore[attr-defined]

"""`python -m bench.audit --rows 100000`: what one more row of a long audit trail costs, and its verification.

Into docs/bench.md. SQLite in a file; the rows are generated.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.speed import ROOT, renew
from synth import heads
from synth.origins import AuditEvent
from synth.store import Store
from synth.store.trail import Sought, append

SECTION = "## The audit trail"
AT_ONCE = 5000
START = datetime(2026, 1, 1, tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=2_000, help="rows that are appended one by one")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench.md")
    plan = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/synth.db", f"file://{folder}/blobs")
        fill(store, plan.rows)
        text = report(store, plan.rows, plan.times)
        store.close()
    renew(plan.out, text)


def fill(store: Store, rows: int) -> None:
    """Append generated rows, many in one transaction."""
    for first in range(0, rows, AT_ONCE):
        with store._database.writing() as session:
            append(session, [event(number) for number in range(first, min(rows, first + AT_ONCE))])


def event(number: int) -> AuditEvent:
    """As the end of a job is told."""
    detail = {"model": "synthread-256", "seed": number, "digest": f"{number:064x}"}
    return AuditEvent(START + timedelta(seconds=number), f"user{number % 40}", "done", f"{number:032x}", "", detail)


def report(store: Store, rows: int, times: int) -> str:
    """The section of docs/bench.md."""
    costs = [_cost(store, event(rows + number)) for number in range(times)]
    clock, processor = (sorted(1000 * seconds for seconds in column) for column in zip(*costs, strict=True))
    began = time.perf_counter()
    verdict = heads.verified(store.trail, [], {})
    verified = time.perf_counter() - began
    assert verdict.valid and verdict.rows == rows + times
    p99 = int(0.99 * times)
    return "\n".join([
        SECTION, "",
        f"SQLite in a file that holds {rows} rows; {times} more are appended, each in a transaction of its own. The",
        "clock also counts waiting for a core while others are at work.", "",
        "| one row appended | by the clock, ms | of the processor, ms |", "|---|--:|--:|",
        f"| median | {statistics.median(clock):.2f} | {statistics.median(processor):.2f} |",
        f"| 99th percentile | {clock[p99]:.2f} | {processor[p99]:.2f} |", "",
        "| reading | median of 7, ms |", "|---|--:|",
        *(f"| {name} | {_reading_ms(store, sought):.1f} |" for name, sought in _questions(rows).items()), "",
        f"Verifying {verdict.rows} rows: {verified:.1f} s, {1e6 * verified / verdict.rows:.0f} µs a row.", "",
        f"`python -m bench.audit --rows {rows}`: {os.cpu_count()} cores ({platform.machine()}), "
        f"load {os.getloadavg()[0]:.0f}, Python {platform.python_version()}; {datetime.now(UTC):%Y-%m-%d}.",
    ])  # fmt: skip


def _cost(store: Store, one: AuditEvent) -> tuple[float, float]:
    """Seconds of one append, by the clock and of this process's processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    store.add_event(one)
    return time.perf_counter() - clock, time.process_time() - processor


def _questions(rows: int) -> dict[str, Sought]:
    return {
        "newest 50 rows": Sought(),
        "one image": Sought(subject=f"{rows // 2:032x}"),
        "a word that nothing has": Sought(text="nowhere"),
    }


def _reading_ms(store: Store, sought: Sought) -> float:
    def once() -> float:
        began = time.perf_counter()
        store.trail.page(sought, 50)
        return time.perf_counter() - began

    return 1000 * statistics.median(once() for _ in range(7))


if __name__ == "__main__":
    main()

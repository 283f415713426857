"""How long the figures of monitoring take: python -m bench.figures [--images 100000]

Fills a new store in a temporary folder (or DATABASE_URL, which should be empty) with facts and events as they come of
use, and asks for what the monitoring page and a scrape ask for.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert

from synth.governance.drift import IMAGES
from synth.monitor import DRAWING_S, WAITING_S
from synth.store import Store
from synth.store.database import Database
from synth.store.figure_tables import FactRow
from synth.store.holding_tables import VectorRow
from synth.store.tables import ImageRow
from synth.store.trail import append
from synth.types import AuditEvent

AT_ONCE = 2000
DAYS = 90
SIZE = 1024  # numbers of a vector


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    count = parser.parse_args(arguments).images
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("DATABASE_URL", f"sqlite:///{folder}/synth.db")
        store = Store(url, f"file://{folder}/blobs")
        _fill(Database(url), count)
        now, kind = datetime.now(UTC), ("synthread-256", "1", "DX")
        reference = store.references.freeze(kind, "bench", now)
        assert reference is not None
        asked: dict[str, Callable[[], Any]] = {
            "one day": lambda: store.figures.period(now - timedelta(days=1), now),
            "90 days": lambda: store.figures.period(now - timedelta(days=DAYS), now),
            "totals of a scrape": lambda: store.figures.totals(WAITING_S, DRAWING_S),
            "kinds": store.references.kinds,
            "chart of drift": lambda: store.references.chart(reference),
            "unseen images": lambda: store.references.unseen(kind, "bench", 0, 32),
        }
        for name, ask in asked.items():
            times = []
            for _ in range(3):
                began = time.perf_counter()
                ask()
                times.append(time.perf_counter() - began)
            print(f"{name}: {1000 * min(times):.0f} ms ({count} images)")
        store.close()


def _fill(database: Database, count: int) -> None:
    dice = np.random.default_rng(0)
    for start in range(0, count, AT_ONCE):
        rows = [*_rows(dice, range(start, min(count, start + AT_ONCE)), count)]
        with database.writing() as session:
            session.execute(insert(ImageRow), [row[0] for row in rows])
            session.execute(insert(FactRow), [row[1] for row in rows])
            session.execute(insert(VectorRow), [row[3] for row in rows])
            append(session, [event for row in rows for event in row[2]])


def _rows(dice: np.random.Generator, numbers: range, count: int) -> Iterator[tuple[Any, ...]]:
    first = datetime.now(UTC) - timedelta(days=DAYS)
    for n in numbers:
        at, who, name = first + timedelta(days=DAYS * n / count), f"user {n % 40}", f"{n:032x}"
        image = {"id": name, "created_at": at, "requested_by": who, "blob": "0" * 64, "request_digest": name}
        texts = dict.fromkeys(("request", "provenance", "quality"), "{}" + " " * 600)
        fact = {
            "image": name, "at": at, "who": who, "model": "synthread-256", "revision": "1", "mode": "",
            "modality": "DX" if n % 4 else "CT", "waited": float(dice.exponential(5)),
            "drawn": float(dice.exponential(3)), "checks": 6, "failed": "|grid|" if n % 20 == 0 else "",
        }  # fmt: skip
        events = [AuditEvent(at, who, action, name, "", {}) for action in ("submit", "done")]
        events[1:1] = [AuditEvent(at, who, "refused", name, "", {"kind": "busy"})] if n % 50 == 0 else []
        vector = (dice.normal(size=SIZE) / np.sqrt(SIZE)).astype(np.float16) if n < IMAGES * 40 else b""
        data = vector if isinstance(vector, bytes) else vector.tobytes()
        seen = {"source": f"synthetic:{name}", "version": "bench" if data else "other", "vector": data}
        yield image | texts, fact, events, seen


if __name__ == "__main__":
    main()

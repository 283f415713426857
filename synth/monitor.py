"""What monitoring tells of this installation: figures, control charts and alarms, each at most ten seconds old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from synth.errors import RequestError
from synth.export.documents.about import Held, Use
from synth.governance.drift import Chart, Reference
from synth.governance.monitoring import Alarm, Limits, Period, alarms, by_group
from synth.store import Store
from synth.store.figures import Origin, Totals
from synth.store.references import Kind

T = TypeVar("T")
Groups = Mapping[str, Collection[str]]  # user -> groups
FRESH_S = 10.0  # for which figures are kept: whoever asks often does not read whole tables often
REASON_MIN = 10  # characters
ALARM_DAYS = 1  # alarms are about the last day
WAITING_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)  # upper ends of the buckets
DRAWING_S = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """One kind of picture: its reference and chart, or how many images are collected for one so far."""

    kind: Kind
    collected: int
    reference: Reference | None = None
    chart: Chart | None = None


class Monitor:
    """The figures of one database. Every method may be called from any thread and raises StoreError."""

    def __init__(self, store: Store, groups: Callable[[], Groups] = dict, limits: Limits | None = None) -> None:
        """`groups` tells which groups each user is in."""
        self._store, self._groups, self._limits = store, groups, limits or Limits()
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    def period(self, days: int) -> Period:
        """The last `days` days up to now."""

        def count() -> Period:
            now = datetime.now(UTC)
            return self._store.figures.period(now - timedelta(days=days), now)

        return self._fresh(("period", days), count)

    def by_group(self, days: int) -> dict[str, int]:
        """Images of the last `days` days by group of users, most first; empty where there are no groups."""
        groups = self._groups()
        return by_group(self.period(days), groups) if any(groups.values()) else {}

    def watched(self) -> tuple[Watched, ...]:
        """Every kind of picture that the present model has drawn here."""
        return self._fresh("watched", lambda: tuple(map(self._watch, self._store.references.kinds())))

    def alarms(self) -> tuple[Alarm, ...]:
        """What somebody must look at now."""
        charts = [one.chart for one in self.watched() if one.chart is not None]
        return alarms(self.period(ALARM_DAYS), charts, self._limits)

    def totals(self) -> Totals:
        """Everything that ever was, for a scrape."""
        return self._fresh("totals", lambda: self._store.figures.totals(WAITING_S, DRAWING_S))

    def use(self, model: str, revision: str) -> Use:
        """What a revision of a model has made here."""
        return self._fresh((model, revision), lambda: Use(*self._store.figures.of_model(model, revision)))

    def held(self) -> tuple[Held, ...]:
        """Where the real images of the library come from."""
        return self._fresh("held", lambda: tuple(map(_held, self._store.figures.origins())))

    def renew(self, kind: Kind, who: str, reason: str) -> Reference:
        """Make the latest images of a kind the reference. Raises RequestError where the reason is too short."""
        if len(reason.strip()) < REASON_MIN:
            raise RequestError(f"The reason has {len(reason.strip())} characters; at least {REASON_MIN} are needed.")
        made = self._store.references.renew(kind, who, reason.strip(), datetime.now(UTC))
        with self._lock:
            self._kept.clear()
        return made

    def _watch(self, kind: Kind) -> Watched:
        reference = self._store.references.newest(kind)
        if reference is None:
            return Watched(kind, self._store.references.collected(kind))
        return Watched(kind, reference.count, reference, self._store.references.chart(reference))

    def _fresh(self, key: Hashable, count: Callable[[], T]) -> T:
        """What `count` gave at most ten seconds ago; one thread counts while the others wait for it."""
        with self._lock:
            at, value = self._kept.get(key, (0.0, None))
            if value is None or time.monotonic() - at > FRESH_S:
                value = count()
                self._kept[key] = (time.monotonic(), value)
            found: T = value
            return found


def _held(origin: Origin) -> Held:
    return Held(origin.name, origin.licence, origin.modality, origin.images)

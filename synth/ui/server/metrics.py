"""GET /metrics in the text format of Prometheus: totals that survive a restart, and no user by name.

Where nobody signs in, this computer alone is served and may read it; else one reads it only with the token of
`metrics.token` in the home, or of SYNTH_METRICS_TOKEN, as `Authorization: Bearer <token>`.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from collections.abc import Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from synth import keys
from synth.engine import EngineStatus
from synth.errors import SynthError
from synth.governance.monitoring import Alarm
from synth.monitor import Watched
from synth.store.figures import Buckets, Totals
from synth.ui import house

TOKEN = "metrics.token"
HERE = ("127.0.0.1", "::1")
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")  # a proxy on this computer asks for somebody elsewhere
log = logging.getLogger(__name__)


class Collected(Collector):
    """The figures of one scrape as metric families."""

    def __init__(
        self, totals: Totals, status: EngineStatus, watched: Iterable[Watched], alarms: Iterable[Alarm]
    ) -> None:
        self._totals, self._status, self._watched, self._alarms = totals, status, tuple(watched), tuple(alarms)

    def collect(self) -> Iterator[Metric]:
        """Every family once."""
        totals, status = self._totals, self._status
        yield _counter("images", "Images made", ("model", "modality"), totals.images)
        yield _counter("refusals", "Requests refused", ("kind",), totals.refusals)
        yield _counter("jobs_ended", "Jobs by how they ended", ("state",), totals.ended)
        yield _counter("checks_failed", "Quality checks that images failed", ("check",), totals.checks)
        yield _gauge("queue_length", "Jobs that wait", status.waiting)
        yield _gauge("jobs_running", "Jobs that are drawn", status.running)
        yield _gauge("model_ready", "1 where the model is loaded", int(status.model_state == "ready"))
        yield _gauge("model_loads", "How often weights were loaded since the start", status.load_count)
        yield _gauge("audit_trail_rows", "Rows of the audit trail", totals.trail)
        yield _gauge("alarms", "Alarms on the monitoring page", len(self._alarms))
        yield _histogram("waiting_seconds", "Time in the queue", totals.waiting)
        yield _histogram("drawing_seconds", "Time of drawing, of the whole batch", totals.drawing)
        drift = GaugeMetricFamily(
            "synthread_drift", "EWMA's distance to the reference as a share of its limit", labels=("modality",)
        )
        for one in self._watched:
            if one.chart is not None:
                drift.add_metric((one.kind[2],), one.chart.statistic)
        yield drift


async def metrics(request: Request) -> Response:
    """The figures, at most ten seconds old; 401 to strangers."""
    try:
        if not await run_in_threadpool(_allowed, request):
            return PlainTextResponse("A bearer token is needed.\n", 401, {"WWW-Authenticate": "Bearer"})
        return Response(await run_in_threadpool(_text), media_type=CONTENT_TYPE_LATEST)
    except SynthError as error:
        log.warning("%s", error)
        return PlainTextResponse("The figures cannot be read now.\n", 503)


route = Route("/metrics", metrics, methods=["GET"])


def _text() -> bytes:
    monitor, registry = house.monitor(), CollectorRegistry()
    collected = Collected(monitor.totals(), house.engine().status(), monitor.watched(), monitor.alarms())
    registry.register(collected)
    return generate_latest(registry)


def _allowed(request: Request) -> bool:
    given = request.headers.get("authorization", "")
    if not given:
        return house.settings().auth == "local" and _from_here(request)
    kind, _, token = given.partition(" ")
    wanted = _token()
    return kind.lower() == "bearer" and wanted != b"" and hmac.compare_digest(token.strip().encode(), wanted)


def _from_here(request: Request) -> bool:
    host = request.client.host if request.client else ""
    return host in HERE and not any(name in request.headers for name in FORWARDED)


def _token() -> bytes:
    """The token of the environment, else of the home, where it is made when it is first needed."""
    if given := os.environ.get("SYNTH_METRICS_TOKEN"):
        return given.encode()
    return keys.kept(house.settings().home, TOKEN, lambda: secrets.token_urlsafe(keys.BYTES).encode()).strip()


def _counter(
    name: str, help_: str, labels: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"synthread_{name}", f"{help_} since the first start", labels=labels)
    for *of, count in rows:
        family.add_metric([str(one) for one in of], float(count))
    return family


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"synthread_{name}", help_, value)


def _histogram(name: str, help_: str, buckets: Buckets) -> HistogramMetricFamily:
    ends = [(str(float(end)), float(count)) for end, count in buckets.below]
    family = HistogramMetricFamily(f"synthread_{name}", f"{help_}, s")
    family.add_metric((), [*ends, ("+Inf", float(buckets.count))], buckets.total_s)
    return family

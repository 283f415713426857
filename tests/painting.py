"""A model for the tests of the engine: it paints 8 x 8 pixels that follow from the seed, when it is let."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.engine import Engine
from synth.errors import OutOfMemory
from synth.store import Store
from synth.types import GeneratedImage, GenerationRequest, Job, JobState, ModelCard, Provenance, Step

CARD = ModelCard(
    id="painter",
    title="Painter",
    revision="1",
    files={},
    licence="Apache-2.0",
    training_data="none",
    native_px=8,
    intended_use="tests",
    limits="paints noise",
)
UNLUCKY_SEED = 13  # the painter breaks down
FREE = 10_000  # more steps than any test takes
PATIENCE_S = 20.0


@dataclass
class Painter:
    """One permit a step: `Painter(steps=0)` waits until `let` gives more. `batches` are the seeds drawn together."""

    steps: int = FREE
    largest: int = 8  # images that fit into its memory
    card: ModelCard = CARD
    device: str = "cpu"
    max_batch: int = 8
    batches: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.permits = threading.Semaphore(self.steps)

    def let(self, steps: int = FREE) -> None:
        """Allow so many steps more."""
        self.permits.release(steps)


def pixels(seed: int) -> npt.NDArray[np.uint8]:
    """(8, 8): what the painter makes of a seed."""
    return np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)


def paint(
    model: Painter, orders: Sequence[Any], created_at: datetime, on_step: Callable[[Step], None]
) -> list[GeneratedImage]:
    """In place of `synth.generate.generate_batch`; the preview of a seed is a picture of the step's number."""
    requests: list[GenerationRequest] = [order.request for order in orders]
    model.batches.append([request.seed for request in requests])
    if len(orders) > model.largest:
        raise OutOfMemory(f"The painter has room for {model.largest} images, not for {len(orders)}.")
    total = requests[0].steps
    for index in range(1, total + 1):
        model.permits.acquire()
        on_step(Step(index, total, 0.0, np.stack([np.full((2, 2), r.seed % 200 + index, np.uint8) for r in requests])))
    if UNLUCKY_SEED in (request.seed for request in requests):
        raise ZeroDivisionError("the brush broke")
    return [
        GeneratedImage(order.image_id, pixels(order.request.seed), order.request, _provenance(order, created_at))
        for order in orders
    ]


def alike(a: GenerationRequest, b: GenerationRequest) -> bool:
    """In place of `synth.generate.compatible`."""
    return a.steps == b.steps


def start(store: Store, painter: Painter, **settings: Any) -> Engine:
    """An engine with this painter."""
    return Engine(store, lambda: painter, paint, alike, **settings)  # type: ignore[arg-type, return-value]


def until(true: Callable[[], bool], what: str = "it") -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"{what} did not happen in {PATIENCE_S} s"
        time.sleep(0.005)


def wait_for(engine: Engine, job_id: str) -> Job:
    """The job when it has ended."""
    until(lambda: engine.job(job_id).state not in (JobState.QUEUED, JobState.RUNNING), f"the end of job {job_id}")
    return engine.job(job_id)


def _provenance(order: Any, created_at: datetime) -> Provenance:
    return Provenance(
        request_digest=order.request.digest(),
        model_id=CARD.id,
        model_revision=CARD.revision,
        weights_hash=CARD.weights_hash(),
        sampler=order.request.sampler,
        seed=order.request.seed,
        device="cpu",
        dtype="float32",
        versions={"numpy": np.__version__},
        created_at=created_at,
        requested_by=order.user,
        seconds=0.0,
    )

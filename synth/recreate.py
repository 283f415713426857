"""A stored image drawn once more from its stored request, as a normal job, and compared pixel by pixel.

Kernels differ with the number of images drawn together, so a batch is drawn again as a whole.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from synth.engine import Engine, EngineStatus
from synth.meter import Meter
from synth.store import Store
from synth.types import AuditEvent, GeneratedImage, GenerationRequest

ACTION = "recreate"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a copy compares with the image that was stored."""

    pixels: int  # of the stored image
    differing: int
    most: int  # grey levels by which a pixel differs

    @property
    def sentence(self) -> str:
        """As "Identical: all 65,536 pixels are the same."."""
        if not self.differing:
            return f"Identical: all {self.pixels:,} pixels are the same."
        levels = "grey level" if self.most == 1 else "grey levels"
        return f"{self.differing:,} of {self.pixels:,} pixels differ, by at most {self.most} {levels}."


def recreate(engine: Engine | Meter, store: Store, image: GeneratedImage, user: str) -> str:
    """Queue the request of an image, with those it was drawn together with; returns the id of the copy's job.

    The audit event that names both is there before the job. Raises BusyError when the queue is full, StoreError.
    """
    requests, place = _batch(store, image)
    ids = [uuid.uuid4().hex for _ in requests]
    origin = image.provenance
    detail = {"copy": ids[place], "batch": ids, "digest": origin.request_digest, "seed": origin.seed}
    detail |= {"model": origin.model_id, "revision": origin.model_revision}
    store.add_event(AuditEvent(datetime.now(UTC), user, ACTION, image.id, "", detail))
    engine.submit_all(requests, user, ids)
    return ids[place]


def compared(original: GeneratedImage, copy: GeneratedImage) -> Likeness:
    """Compare the pixels. Images of different size differ in every pixel, by the whole range of grey levels."""
    size = original.pixels.size
    if original.pixels.shape != copy.pixels.shape:
        return Likeness(size, size, int(np.iinfo(original.pixels.dtype).max))
    apart = np.abs(original.pixels.astype(np.int32) - copy.pixels.astype(np.int32))
    return Likeness(size, int(np.count_nonzero(apart)), int(apart.max(initial=0)))


def doubts(image: GeneratedImage, now: EngineStatus) -> list[str]:
    """What is not as it was when the image was drawn, one sentence each: why a copy may come out differently."""
    then, found = image.provenance, []
    if now.card is None:
        found.append(f"It was drawn by {then.model_id} revision {then.model_revision}; no model is loaded yet.")
    elif (then.model_id, then.model_revision) != (now.card.id, now.card.revision):
        loaded = f"{now.card.id} revision {now.card.revision}"
        found.append(f"It was drawn by {then.model_id} revision {then.model_revision}, now {loaded} is loaded.")
    elif then.weights_hash != now.card.weights_hash():
        found.append(f"The weights of {then.model_id} are not those that drew it: their hash differs.")
    if now.device and then.device.split()[0] != now.device:
        found.append(f"It was drawn on {then.device}, now {now.device} draws; devices round differently.")
    for name in ("torch", "numpy"):
        if (old := then.versions.get(name, "")) and old != version(name):
            found.append(f"It was drawn with {name} {old}, now {version(name)} is installed.")
    if then.batch > 1:
        found.append(f"It was drawn in a batch of {then.batch}, which is drawn again; another size rounds differently.")
    return found


def _batch(store: Store, image: GeneratedImage) -> tuple[list[GenerationRequest], int]:
    """The requests that were drawn together, as far as their images are kept, and the place of this one."""
    if image.provenance.batch == 1:
        return [image.request], 0
    mates = store.drawn_with(image.id)
    requests = [mate.request for mate in mates]
    missing = image.provenance.batch - len(requests)  # cancelled while they were drawn
    return [*requests, *[image.request] * missing], [mate.id for mate in mates].index(image.id)

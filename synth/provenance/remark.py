"""A mark in place of another: what was drawn into a marked picture leaves with a payload of its own.

Two payloads over each other cancel where their bits differ. So the old one is taken out as the new one goes in: beside
the drawn area the difference of the two patterns is added, inside it the whole new pattern.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.provenance import payload as words
from synth.provenance import watermark
from synth.provenance.pattern import pattern
from synth.types import Base, GeneratedImage, GenerationRequest, Pixels

LEFT = (0.0, 0.5, 1.0)  # shares of the old mark that may be left where the picture was drawn anew
MARKED_LATER = ("add", "remove", "variation")  # beside their area nothing may change before they leave
KEY_ID_CHARS = 8

Area = npt.NDArray[np.bool_]


def payload_of(request: GenerationRequest) -> int:
    """The 64 bits by which an image is found again: the first of the digest of its request."""
    return int(request.digest()[:16], 16)


def key_id(key: bytes | None) -> str:
    """A name of the key that tells nothing of it: the start of its sha256 (hex); empty without a key."""
    return "" if key is None else hashlib.sha256(key).hexdigest()[:KEY_ID_CHARS]


def carries(pixels: npt.NDArray[Any]) -> bool:
    """True for a picture large enough for the mark."""
    short, long = sorted(pixels.shape)
    return bool(short >= watermark.SHORT_PX and long >= watermark.LONG_PX)


def drawn(request: GenerationRequest, pixels: Pixels, key: bytes | None) -> Pixels:
    """The pixels (H, W) of a new image as they are kept: marked, but those of an edit, which are when they leave."""
    edit = request.edit
    if key is None or not carries(pixels) or (edit is not None and edit.mode in MARKED_LATER):
        return pixels
    if edit is None:
        return watermark.embed(pixels, payload_of(request), key)
    return marked(pixels, payload_of(request), key, fresh=np.ones(pixels.shape, bool))


def departing(image: GeneratedImage, base: Base | None, key: bytes) -> Pixels:
    """The pixels of an image as they leave, with the payload of its own request; `base` is that of an edit.

    Inside the lesion that was drawn for it the mark is weaker. A picture too small for the mark leaves as it is.
    """
    pixels = image.pixels
    if not carries(pixels):
        return pixels
    if base is None or base.pixels.shape != pixels.shape:
        return marked(pixels, payload_of(image.request), key)
    return marked(pixels, payload_of(image.request), key, base.lesion, pixels != base.pixels)


def decoy(pixels: Pixels, name: str, key: bytes) -> Pixels:
    """A mark that means nothing, for a real picture beside marked ones: under a key that no detector is given."""
    return watermark.embed(pixels, hashlib.sha256(name.encode()).digest()[:8], key) if carries(pixels) else pixels


def marked(pixels: Pixels, payload: int, key: bytes, protect: Area | None = None, fresh: Area | None = None) -> Pixels:
    """(H, W) with this payload and no other: embedded, put in place of another one, or left where it is already.

    `fresh` is True where the picture was drawn anew, without or with little of the other mark. Equal input gives equal
    output. Raises RequestError where `watermark.embed` does.
    """
    there = watermark.detect_aligned(pixels, key)
    if there.state is not watermark.State.DETECTED or there.payload is None:
        return watermark.embed(pixels, payload, key, protect)
    if there.payload == payload:
        return pixels.copy()
    if fresh is None:
        fresh = np.zeros(pixels.shape, bool)
    tried = [_replaced(pixels, (there.payload, payload), key, (protect, fresh), left) for left in LEFT]
    return max(tried, key=lambda one: _strength(one, payload, key))


def _strength(pixels: Pixels, payload: int, key: bytes) -> int:
    """How many code bits of the payload are read back; -1 where it is not."""
    found = watermark.detect_aligned(pixels, key)
    return found.bits_agreed or 0 if found.payload == payload else -1


def _replaced(
    pixels: Pixels, payloads: tuple[int, int], key: bytes, areas: tuple[Area | None, Area], left: float
) -> Pixels:
    """The picture with the second payload in place of the first, of which a share is `left` in the fresh area."""
    old, new = (watermark._waves(pattern(key).spectrum(words.encode(payload)), pixels.shape) for payload in payloads)
    protect, fresh = areas
    low, high = int(pixels.min()), int(pixels.max())
    base, full = (0, 255) if pixels.dtype == np.uint8 else (low, high - low)
    values = (pixels.astype(np.float32) - np.float32(base)) / np.float32(full)
    mask = watermark._mask(values, protect)
    whole = mask * new
    strength = min(watermark.RMS / max(float(np.sqrt(np.mean(whole * whole))), 1e-9), watermark.PEAK) * full
    change = whole - mask * old * np.where(fresh, left, 1.0).astype(np.float32)
    changed = np.clip(np.rint(pixels + strength * change), low, high)
    out: Pixels = changed.astype(np.uint8) if pixels.dtype == np.uint8 else changed.astype(np.uint16)
    return out

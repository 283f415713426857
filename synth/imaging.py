"""Grey images as arrays: depth, window/level, size, the visible mark, PNG bytes, histogram, difference."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from scipy import ndimage

from synth.types import Pixels

LUNG_CENTER_HU, LUNG_WIDTH_HU = -600.0, 1500.0  # the usual lung window, and the one of the training slices
LUNG_SLOPE_HU, LUNG_INTERCEPT_HU = LUNG_WIDTH_HU / 255, LUNG_CENTER_HU - LUNG_WIDTH_HU / 2  # of its grey levels
MARK_MIN_PX = 64  # narrower images cannot carry a label that one can read
PNG_COMPRESSION = 6  # zlib level, fixed: the same pixels give the same bytes

Grey = npt.NDArray[Any]  # (H, W), any integer or float type


def to_uint8(pixels: Grey) -> npt.NDArray[np.uint8]:
    """The same picture in 8 bit: float in [0, 1] (clipped), uint16 (65535 becomes 255) or uint8 (copied).

    Raises ValueError where a value is not finite or the type is none of these.
    """
    if pixels.dtype == np.uint8:
        return pixels.copy()
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if not np.issubdtype(pixels.dtype, np.floating):
        raise ValueError(f"pixels must be float in [0, 1], uint8 or uint16, not {pixels.dtype}")
    if not np.isfinite(pixels).all():
        raise ValueError("pixels hold values that are not finite")
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)


def window_level(pixels: Grey, center: float, width: float, function: str = "LINEAR") -> npt.NDArray[np.uint8]:
    """Values (HU, grey levels, any unit of `center` and `width`) to 8 bit, as a viewer shows them.

    `function` is LINEAR, LINEAR_EXACT or SIGMOID: DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3. The width must be at least 1
    (LINEAR) or above 0; ValueError otherwise.
    """
    if not (np.isfinite(center) and np.isfinite(width)) or width <= 0 or (function == "LINEAR" and width < 1):
        raise ValueError(f"window {center}/{width} is not one: the width must be 1 or more")
    values = pixels.astype(np.float64)
    shown: npt.NDArray[np.float64]
    if function == "SIGMOID":
        shown = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / width, -700.0, 700.0)))
    elif function == "LINEAR_EXACT":
        shown = (values - center) / width + 0.5
    elif width == 1:
        shown = np.where(values > center - 0.5, 1.0, 0.0)
    else:
        shown = (values - (center - 0.5)) / (width - 1.0) + 0.5
    return np.rint(np.clip(shown, 0.0, 1.0) * 255.0).astype(np.uint8)


def fitted(shape: tuple[int, ...], size_px: int) -> tuple[int, int, int, int]:
    """(Top, left, height, width) in px of a picture in the square that `fit_square` makes of it."""
    height, width = shape
    scale = size_px / max(height, width)
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    return (size_px - high) // 2, (size_px - wide) // 2, high, wide


def resize(pixels: Grey, size_px: int) -> Grey:
    """The picture with its longer side at `size_px` (1 or more), same aspect and type, antialiased.

    Bicubic through 32-bit floats, so that 16-bit values stay 16-bit; overshoot is clipped to the range of the input.
    """
    _, _, height, width = fitted(pixels.shape, size_px)
    if (height, width) == pixels.shape:
        return pixels.copy()
    picture = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    values = np.clip(np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC)), pixels.min(), pixels.max())
    small: Grey = (values if pixels.dtype.kind == "f" else np.rint(values)).astype(pixels.dtype)
    return small


def fit_square(pixels: Grey, size_px: int) -> Grey:
    """(size_px, size_px): the whole picture, centred, between bars of black (the lowest value if signed)."""
    small = resize(pixels, size_px)
    background = small.min() if small.dtype.kind == "i" else 0
    square = np.full((size_px, size_px), background, dtype=small.dtype)
    top, left, height, width = fitted(pixels.shape, size_px)
    square[top : top + height, left : left + width] = small
    return square


def mark(pixels: Pixels, text: str = "SYNTHETIC") -> Pixels:
    """A copy with `text` burnt into the lower left corner: white on a darkened strip, readable on any background.

    Pure in its input: equal pixels and text give equal bytes. Raises ValueError below 64 px.
    """
    if min(pixels.shape) < MARK_MIN_PX:
        raise ValueError(f"the image is {pixels.shape[1]} x {pixels.shape[0]} px; a mark needs {MARK_MIN_PX} px")
    letters = _letters(text, pixels.shape[1], max(11, pixels.shape[0] // 18))
    height, width = letters.shape
    out = pixels.copy()
    white = int(np.iinfo(pixels.dtype).max)
    strip = out[-height:, :width].astype(np.uint32) // 5  # the strip lets the picture through at a fifth
    blended = (strip * (255 - letters) + white * letters + 127) // 255
    out[-height:, :width] = blended.astype(pixels.dtype)
    return out


@lru_cache(maxsize=16)
def _letters(text: str, width: int, height: int) -> npt.NDArray[np.uint32]:
    """Coverage (h, w) in 0-255 of the text with its margin, at most as wide as the image."""
    for size in range(height, 5, -1):
        font = ImageFont.load_default(size)
        left, top, right, bottom = font.getbbox(text)
        pad = max(2, size // 4)
        shape = (round(right - left) + 2 * pad, round(bottom - top) + 2 * pad)
        if shape[0] <= width:
            break
    else:
        raise ValueError(f"the mark {text!r} does not fit into {width} px")
    canvas = Image.new("L", shape, 0)
    ImageDraw.Draw(canvas).text((pad - left, pad - top), text, fill=255, font=font)
    coverage = np.asarray(canvas).astype(np.uint32)
    coverage.flags.writeable = False
    return coverage


def png_bytes(pixels: Pixels, description: Mapping[str, str]) -> bytes:
    """A PNG, grey of 8 or 16 bit or (H, W, 3) of 8, with one text chunk per entry of `description`.

    Text chunks are those of PNG 1.2, section 11.3.4.
    """
    chunks = PngImagePlugin.PngInfo()
    for key, value in sorted(description.items()):
        chunks.add_text(key, value)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=chunks, compress_level=PNG_COMPRESSION)
    return buffer.getvalue()


def histogram(pixels: Pixels, bins: int = 64) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Counts (bins,) and edges (bins + 1,) over the whole range of the type, so that two images share their axis."""
    counts, edges = np.histogram(pixels, bins=bins, range=(0, int(np.iinfo(pixels.dtype).max) + 1))
    return counts.astype(np.int64), edges.astype(np.float64)


def difference(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], full: int = 255) -> npt.NDArray[np.uint8]:
    """first - second around mid-grey: 128 where equal, 255 at `full` grey levels brighter or more, 1 at as much darker.

    Same shape or ValueError.
    """
    if first.shape != second.shape:
        raise ValueError(f"images of {first.shape} and {second.shape} cannot be subtracted")
    change = first.astype(np.float32) - second.astype(np.float32)
    return (128 + np.rint(127 * np.clip(change / full, -1.0, 1.0))).astype(np.uint8)


def overlaid(
    pixels: npt.NDArray[np.uint8], areas: Sequence[tuple[npt.NDArray[np.bool_], tuple[int, int, int]]]
) -> npt.NDArray[np.uint8]:
    """(H, W, 3): the grey picture with the border of each area (h, w) as a line of its colour; H a multiple of h."""
    out = np.repeat(pixels[..., None], 3, axis=-1)
    for area, colour in areas:
        wide = np.kron(area, np.ones((pixels.shape[0] // area.shape[0],) * 2, bool))
        out[wide & ~ndimage.binary_erosion(wide)] = colour
    return out

"""The viewer: images at full depth under the mouse and keys of a reading station, answers and marks back to the page.

The only place that knows the JavaScript in `frontend/`. Each image is an element of its own, named by its content:
its pixels travel once as raw bytes, stay with the browser while pages run again, and can be sent ahead (`prefetch`).
What the reader sets (window, zoom, measures) stays in the browser; only marks and answer keys come back.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth.errors import RequestError
from synth.ui.compare import PRESETS as GREY_PRESETS

Kind = Literal["point", "box", "outline"]
Preset = tuple[str, float, float]  # name, width, level
Point = tuple[float, float]  # x, y in px from the corner of the first pixel, whose centre is (0.5, 0.5)

# OHIF's defaults (defaultWindowLevelPresets.ts), in HU
CT_PRESETS: tuple[Preset, ...] = (
    ("Soft tissue", 400, 40),
    ("Lung", 1500, -600),
    ("Liver", 150, 90),
    ("Bone", 2500, 480),
    ("Brain", 80, 40),
)
KINDS = {"|u1": "u8", "<u2": "u16", "<i2": "i16"}
PANES = (1, 2, 3, 4)
MAX_SIDE_PX = 8192
MAX_SLICES = 2048
MAX_BYTES = 96 * 2**20  # of all images of one call; a message of Streamlit holds 200 MB
MAX_KEYS = 32
MAX_POINTS = 2000  # of an outline that is sent back

_FRONTEND = Path(__file__).parent / "frontend"


def _source(*names: str) -> str:
    return "\n".join((_FRONTEND / name).read_text(encoding="utf-8") for name in names)


_viewer = st.components.v2.component(
    "synthread_viewer", css=_source("viewer.css"), js=_source("picture.js", "marks.js", "viewer.js")
)
_film = st.components.v2.component("synthread_film", js=_source("film.js"))


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Polylines (N, 2) of `Point`s over an image, on one slice or (None) on every one. The name is seen: no answers."""

    lines: Sequence[npt.NDArray[np.floating[Any]]]
    colour: str
    name: str = ""
    dashed: bool = False
    slice_index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pane:
    """One image or stack to read, with larger values whiter (MONOCHROME1 is turned before).

    `pixels` is (H, W) or (N, H, W), uint8, uint16 or int16, H and W 1 to 8192, N 1 to 2048. `spacing_mm` is (between
    rows, between columns); without it lengths are in px. `window` (width of at least 1, level) is the first one, in
    the unit of the values; without it the first of `presets`, which are the keys 1 to 5 (OHIF's for HU, shares of the
    range for grey levels). `title` is the word in the corner. Raises RequestError for anything else.
    """

    pixels: npt.NDArray[Any]
    spacing_mm: tuple[float, float] | None = None
    unit: Literal["HU", ""] = ""
    window: tuple[float, float] | None = None
    overlays: tuple[Overlay, ...] = ()
    title: str = ""
    presets: tuple[Preset, ...] | None = None

    def __post_init__(self) -> None:
        """Check shape, type, spacing and windows."""
        shape = self.pixels.shape
        if len(shape) not in (2, 3) or not 0 < min(shape) <= max(shape[-2:]) <= MAX_SIDE_PX:
            raise RequestError(f"An image is (H, W) or (N, H, W) of at most {MAX_SIDE_PX} px a side, not {shape}.")
        if len(shape) == 3 and shape[0] > MAX_SLICES:
            raise RequestError(f"A stack has at most {MAX_SLICES} slices, not {shape[0]}.")
        if _dtype(self.pixels) not in KINDS:
            raise RequestError(f"Pixels are uint8, uint16 or int16, not {self.pixels.dtype}.")
        if self.spacing_mm is not None and not all(math.isfinite(mm) and mm > 0 for mm in self.spacing_mm):
            raise RequestError(f"The spacing of pixels is above 0 mm, not {self.spacing_mm}.")
        for width, level in [(w, c) for _, w, c in self.presets or ()] + ([self.window] if self.window else []):
            if not (math.isfinite(width) and math.isfinite(level) and width >= 1):
                raise RequestError(f"A window has a width of 1 or more and a level, not {width}/{level}.")


@dataclass(frozen=True, slots=True)
class Mark:
    """What was marked: one point, the two opposite corners of a box, or three and more points of an outline.

    Every point is inside its image: 0 <= x <= W, 0 <= y <= H.
    """

    kind: Kind
    points: tuple[Point, ...]
    pane: int = 0
    slice_index: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The mark on the images now shown, and the extra keys pressed on them since the last run, the oldest first."""

    mark: Mark | None = None
    keys: tuple[str, ...] = ()


def show(
    panes: Sequence[Pane],
    *,
    key: str,
    label: str,
    mark: Kind | None = None,
    keys: Sequence[str] = (),
    prefetch: Sequence[Pane] = (),
    height_px: int = 640,
) -> Reply:
    """One to four images to read; several move together until they are unlinked.

    `key` names the viewer on its page and says nothing of the image; under the same key new images take the place of
    the old at once when they came before as `prefetch`. `label` is what a screen reader says: it must not tell the
    answer. `keys` are names of keys as in a browser's `KeyboardEvent.key` ("1", "n", "Enter"): each press is returned
    once, also when nothing but the page has the focus, and goes before the viewer's own meaning of the key.
    Not inside a form. Raises RequestError when there are too many panes, keys or bytes.
    """
    _check(panes, keys, mark, [*panes, *prefetch])
    names = [_name(pane) for pane in panes]
    ahead = [_name(pane) for pane in prefetch]
    case = hashlib.blake2b(" ".join(names).encode(), digest_size=8).hexdigest()
    films = dict(zip([*names, *ahead], [*panes, *prefetch], strict=True))
    told = {"key": key, "case": case, "label": label, "height": height_px, "mark": mark, "keys": list(keys)}
    told["run"] = st.session_state[f"{key}-run"] = st.session_state.get(f"{key}-run", 0) + 1
    told["panes"] = [_described(pane, name) for pane, name in zip(panes, names, strict=True)]
    with st.container(gap=None):
        answer = _viewer(key=key, data=told, on_mark_change=_noted, on_pressed_change=_noted)
        for name, pane in films.items():
            _film(key=f"{key}-{name}", data=name.encode() + _bytes(pane))
    return Reply(_mark(answer.get("mark"), panes, case, mark), _presses(answer.get("pressed"), key, case, keys))


def ahead(panes: Sequence[Pane], *, key: str) -> None:
    """Send images that the viewer `key` will show next, from anywhere below it on the page."""
    for name, pane in {_name(pane): pane for pane in panes}.items():
        _film(key=f"{key}-ahead-{name}", data=name.encode() + _bytes(pane))


def _noted() -> None:
    """A change of the viewer runs the page again; nothing else is to be done."""


def _check(panes: Sequence[Pane], keys: Sequence[str], mark: str | None, everything: Sequence[Pane]) -> None:
    if len(panes) not in PANES:
        raise RequestError(f"The viewer has 1 to 4 panes, not {len(panes)}.")
    if len(keys) > MAX_KEYS or not all(0 < len(name) <= 20 and name != "Tab" for name in keys):
        raise RequestError(f"At most {MAX_KEYS} keys with names of 1 to 20 letters are heard, and Tab is not one.")
    if mark is not None and mark not in get_args(Kind):
        raise RequestError(f"A mark is a point, a box or an outline, not {mark!r}.")
    size = sum(pane.pixels.nbytes for pane in everything)
    if size > MAX_BYTES:
        raise RequestError(f"The images have {size / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} are sent at once.")


def _dtype(pixels: npt.NDArray[Any]) -> str:
    return pixels.dtype.newbyteorder("<").str


def _bytes(pane: Pane) -> bytes:
    """The values slice by slice, row by row, low byte first."""
    return pane.pixels.astype(_dtype(pane.pixels), copy=False).tobytes()


def _name(pane: Pane) -> str:
    """32 letters that follow from type, shape and values alone."""
    head = f"{_dtype(pane.pixels)} {pane.pixels.shape} ".encode()
    return hashlib.blake2b(head + _bytes(pane), digest_size=16).hexdigest()


def _described(pane: Pane, name: str) -> dict[str, Any]:
    """All that the browser needs to know of a pane but its pixels."""
    presets = (CT_PRESETS if pane.unit == "HU" else _shares(pane.pixels)) if pane.presets is None else pane.presets
    shape = pane.pixels.shape if pane.pixels.ndim == 3 else (1, *pane.pixels.shape)
    width, level = pane.window or (presets[0][1:] if presets else _shares(pane.pixels)[0][1:])
    return {
        "film": name,
        "kind": KINDS[_dtype(pane.pixels)],
        "shape": list(shape),
        "first": shape[0] // 2,
        "spacing": pane.spacing_mm and [float(mm) for mm in pane.spacing_mm],
        "unit": pane.unit,
        "window": [float(width), float(level)],
        "presets": [[text, float(wide), float(middle)] for text, wide, middle in presets],
        "title": pane.title,
        "overlays": [
            {
                "lines": [np.round(line, 2).tolist() for line in overlay.lines],
                "colour": overlay.colour,
                "name": overlay.name,
                "dashed": overlay.dashed,
                "slice": overlay.slice_index,
            }
            for overlay in pane.overlays
        ],
    }


def _shares(pixels: npt.NDArray[Any]) -> tuple[Preset, ...]:
    """The windows of an 8-bit film, stretched over the range of these values."""
    low, high = (0, 255) if pixels.dtype == np.uint8 else (int(pixels.min()), int(pixels.max()))
    step = (high - low + 1) / 256
    return tuple((name, max(1, round(width * step)), round(low + level * step)) for name, width, level in GREY_PRESETS)


def _mark(value: Any, panes: Sequence[Pane], case: str, kind: Kind | None) -> Mark | None:
    """The mark that the browser sent, None when it is of other images; RequestError when it is not one."""
    if kind is None or value is None or (isinstance(value, dict) and value.get("case") != case):
        return None
    try:
        pane, slice_index = int(value["pane"]), int(value["slice"])
        height, width = panes[pane].pixels.shape[-2:]
        slices = panes[pane].pixels.size // (height * width)
        points = tuple((_inside(x, width), _inside(y, height)) for x, y in value["points"][: MAX_POINTS + 1])
        right = {"point": len(points) == 1, "box": len(points) == 2, "outline": 3 <= len(points) <= MAX_POINTS}[kind]
        if value["kind"] != kind or not right or min(pane, slice_index) < 0 or slice_index >= slices:
            raise ValueError
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise RequestError("What was marked cannot be read; please mark it again.") from error
    return Mark(kind, points, pane, slice_index)


def _inside(value: Any, size: int) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return min(float(size), max(0.0, number))


def _presses(value: Any, key: str, case: str, keys: Sequence[str]) -> tuple[str, ...]:
    """Presses not yet returned; those on images that are gone are dropped."""
    if not isinstance(value, dict) or value.get("case") != case:
        return ()
    seen_key = f"{key}-last-press"
    seen = st.session_state.get(seen_key, 0)
    fresh = [
        (press["number"], press["key"])
        for press in value.get("presses", ())
        if isinstance(press, dict) and press.get("key") in keys and isinstance(press.get("number"), int)
    ]
    fresh = [(number, name) for number, name in fresh if number > seen]
    if fresh:
        st.session_state[seen_key] = max(number for number, _ in fresh)
    return tuple(name for _, name in fresh)

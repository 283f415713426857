"""What was drawn into a marked picture leaves under its own number, and nothing else is read back from it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy import ndimage

from synth.imaging import mark
from synth.provenance import remark
from synth.provenance.watermark import State, detect_aligned, embed, psnr
from synth.types import Base, Edit, GeneratedImage, GenerationRequest, Restoration
from tests.phantoms import film

KEY, OTHER = b"a key for tests only", b"another key for tests"
Picture = npt.NDArray[np.uint8]
OLD, NEW = 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210


def disc(row: int, column: int, radius: int) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:256, :256]
    return (y - row) ** 2 + (x - column) ** 2 < radius**2


def jpeg(pixels: Picture) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=80)
    return np.asarray(Image.open(buffer))


def edited(base: Picture, seed: int, radius: int = 20) -> tuple[Picture, npt.NDArray[np.bool_]]:
    """A smooth lesion, drawn anew where it lies, without the mark of its base there."""
    area = disc(100 + 5 * seed, 80 + 9 * seed, radius)
    out = base.copy()
    out[area] = np.clip(ndimage.gaussian_filter(base.astype(float), 2)[area] + 30, 0, 255).astype(np.uint8)
    return out, area


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("radius", [12, 60])
def test_an_edit_of_a_marked_picture_leaves_with_its_own_payload_alone(seed: int, radius: int) -> None:
    base = embed(film(256, seed), OLD, KEY)
    picture, area = edited(base, seed, radius)
    left = remark.marked(picture, NEW, KEY, area, picture != base)
    for seen in (left, jpeg(left), mark(left), ndimage.zoom(left, 0.5, order=1)):
        found = detect_aligned(seen, KEY)
        assert (found.state, found.payload) == (State.DETECTED, NEW)
    assert psnr(picture, left, 255) > 44.0
    assert np.array_equal(left, remark.marked(picture, NEW, KEY, area, picture != base))


@pytest.mark.parametrize("strength", [0.05, 0.5, 1.0])
def test_a_variation_that_keeps_a_part_of_the_old_mark_is_told_from_its_base(strength: float) -> None:
    plain = film(256, 2)
    base = embed(plain, OLD, KEY)
    blurred = ndimage.gaussian_filter(plain.astype(float), 1.2)
    picture = np.rint((1 - strength) * base + strength * blurred).astype(np.uint8)
    assert detect_aligned(remark.marked(picture, NEW, KEY, fresh=picture != base), KEY).payload == NEW


def test_what_carries_its_own_payload_already_stays_as_it_is() -> None:
    picture = embed(film(256), NEW, KEY)
    assert np.array_equal(remark.marked(picture, NEW, KEY), picture)


def drawn_into(request: GenerationRequest, mode: str) -> GenerationRequest:
    restoration = Restoration("gaussian") if mode == "restore" else None
    lesion = "c" * 64 if mode in ("add", "remove") else None
    return replace(request, edit=Edit(mode, "b" * 64, "real:1", lesion, restoration=restoration))


@pytest.mark.parametrize("mode", ["add", "remove", "variation"])
def test_edits_are_kept_as_they_were_drawn(mode: str, make_request: Callable[..., GenerationRequest]) -> None:
    assert np.array_equal(remark.drawn(drawn_into(make_request(), mode), film(256), KEY), film(256))


@pytest.mark.parametrize("mode", ["", "translate", "restore"])
def test_everything_else_is_kept_with_the_first_bits_of_its_request(
    mode: str, make_request: Callable[..., GenerationRequest]
) -> None:
    request = drawn_into(make_request(), mode) if mode else make_request()
    kept = remark.drawn(request, film(256), KEY)
    payload = detect_aligned(kept, KEY).payload
    assert payload is not None and f"{payload:016x}" == request.digest()[:16]
    assert np.array_equal(remark.drawn(request, film(256), None), film(256))


def test_pictures_too_small_for_the_mark_pass_as_they_are(make_image: Callable[..., GeneratedImage]) -> None:
    small = make_image("small", side_px=128)
    assert np.array_equal(remark.drawn(small.request, small.pixels, KEY), small.pixels)
    assert np.array_equal(remark.departing(small, None, KEY), small.pixels)


def test_an_edit_of_a_real_picture_leaves_marked_and_weaker_inside_its_lesion(
    make_image: Callable[..., GeneratedImage], make_request: Callable[..., GenerationRequest]
) -> None:
    picture, area = edited(film(256), 3)
    image = make_image("edit", side_px=256)
    image = replace(image, pixels=picture, request=drawn_into(make_request(), "add"))
    left = remark.departing(image, Base(film(256), area), KEY)
    assert detect_aligned(left, KEY).payload == remark.payload_of(image.request)
    whole = remark.departing(image, None, KEY).astype(int)
    assert np.abs(left.astype(int) - picture)[area].mean() < 0.6 * np.abs(whole - picture)[area].mean()


def test_a_decoy_is_seen_under_its_own_key_only() -> None:
    picture = remark.decoy(film(300), "real:1", OTHER)
    assert detect_aligned(picture, OTHER).state is State.DETECTED
    assert detect_aligned(picture, KEY).state is State.NOT_DETECTED
    assert np.array_equal(remark.decoy(film(100), "real:1", OTHER), film(100))


def test_a_key_has_a_short_name_that_tells_nothing_of_it() -> None:
    assert (remark.key_id(None), remark.key_id(KEY)) == ("", hashlib.sha256(KEY).hexdigest()[:8])

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from synth import __version__, quality
from synth.diffusion.model import Condition
from synth.errors import Cancelled, ModelError, OutOfMemory, RequestError
from synth.generate import Order, compatible, generate, generate_batch, with_zones
from synth.models.tiny import TinyModel
from synth.provenance.remark import key_id
from synth.provenance.watermark import detect_aligned
from synth.types import (
    SAMPLERS,
    Base,
    Edit,
    Finding,
    GeneratedImage,
    GenerationRequest,
    Modality,
    Side,
    Step,
    View,
    Zone,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PNEUMONIA = Finding("pneumonia")
KEY = b"a key for tests only"
BASE = GenerationRequest(findings=(PNEUMONIA,), steps=5, model_id="tiny")


def order(request: GenerationRequest, image_id: str = "image-1") -> Order:
    return Order(request=request, user="reader", image_id=image_id)


def seeded(*seeds: int, **settings: object) -> list[Order]:
    return [order(replace(BASE, seed=seed, **settings), f"image-{seed}") for seed in seeds]


def quiet(step: Step) -> None:
    """Progress that nobody looks at."""


def draw(request: GenerationRequest) -> GeneratedImage:
    return generate(TinyModel(), order(request), NOW, quiet)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_seed_17_alone_is_seed_17_in_a_batch_of_eight(sampler: str) -> None:
    model = TinyModel()
    batch = generate_batch(model, seeded(*range(11, 19), sampler=sampler), NOW, quiet)
    alone = generate(model, seeded(17, sampler=sampler)[0], NOW, quiet)
    assert batch[6].id == alone.id == "image-17"
    # the latents agree to 1e-4, a fortieth of a grey level: only a value on the edge may round to the other side
    assert np.abs(batch[6].pixels.astype(int) - alone.pixels.astype(int)).max() <= 1
    assert np.abs(batch[5].pixels.astype(int) - alone.pixels.astype(int)).max() > 20


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_request_is_replayed_bit_for_bit(sampler: str) -> None:
    request = replace(BASE, seed=2**32 - 1, sampler=sampler)
    stored = GenerationRequest.from_json(request.canonical_json())
    assert np.array_equal(draw(request).pixels, draw(stored).pixels)


def test_a_marked_image_carries_the_first_bits_of_its_request_and_is_replayed_bit_for_bit() -> None:
    marked = [replace(one, key=KEY) for one in seeded(4, 5)]
    first, again = (generate_batch(TinyModel(), marked, NOW, quiet) for _ in range(2))
    for image, same, plain in zip(first, again, generate_batch(TinyModel(), seeded(4, 5), NOW, quiet), strict=True):
        assert np.array_equal(image.pixels, same.pixels)
        assert detect_aligned(image.pixels, KEY).payload == int(image.request.digest()[:16], 16)
        assert 0 < np.abs(image.pixels.astype(int) - plain.pixels.astype(int)).max() < 12
        assert (image.provenance.watermark_key, plain.provenance.watermark_key) == (key_id(KEY), "")
        assert image.quality == quality.check(image.pixels)


@pytest.mark.parametrize("seed", [11, 17])
def test_a_marked_image_is_the_same_alone_as_in_a_batch(seed: int) -> None:
    orders = [replace(one, key=KEY) for one in seeded(*range(11, 19))]
    batch = generate_batch(TinyModel(), orders, NOW, quiet)[seed - 11]
    alone = generate(TinyModel(), orders[seed - 11], NOW, quiet)
    # at most one level more than without a mark, as above
    assert np.abs(batch.pixels.astype(int) - alone.pixels.astype(int)).max() <= 2
    assert detect_aligned(batch.pixels, KEY).payload == detect_aligned(alone.pixels, KEY).payload


def test_a_batch_keeps_the_order_and_the_request_of_each() -> None:
    orders = [
        order(replace(BASE, seed=1), "a"),
        order(replace(BASE, seed=1, findings=(), modality=Modality.CT, view=View.AXIAL), "b"),
    ]
    images = generate_batch(TinyModel(), orders, NOW, quiet)
    assert [image.id for image in images] == ["a", "b"]
    assert [image.request for image in images] == [o.request for o in orders]
    assert np.abs(images[0].pixels.astype(int) - images[1].pixels.astype(int)).max() > 50


def test_pixels_are_eight_bit_of_the_asked_size_and_read_only() -> None:
    for size_px in (256, 512):
        pixels = draw(replace(BASE, size_px=size_px, steps=2)).pixels
        assert pixels.shape == (size_px, size_px)
        assert pixels.dtype == np.uint8
        with pytest.raises(ValueError, match="read-only"):
            pixels[0, 0] = 1


def test_guidance_shows_more_of_the_finding() -> None:
    sick = [draw(replace(BASE, guidance=g)).pixels.astype(int) for g in (1.0, 2.0)]
    well = [draw(replace(BASE, guidance=g, findings=())).pixels.astype(int) for g in (1.0, 2.0)]
    plain, guided = (np.abs(s - w).max() for s, w in zip(sick, well, strict=True))
    assert guided > plain > 20


def test_every_step_is_reported_with_a_preview_of_the_whole_batch() -> None:
    steps: list[Step] = []
    generate_batch(TinyModel(), seeded(1, 2), NOW, steps.append)
    assert [step.index for step in steps] == [1, 2, 3, 4, 5]
    assert {step.total for step in steps} == {5}
    sigmas = [step.sigma for step in steps]
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[-1] == 0.0
    for step in steps:
        assert step.preview is not None
        assert step.preview.shape == (2, 128, 128)
        assert step.preview.dtype == np.uint8


def test_the_last_preview_shows_the_finished_image() -> None:
    steps: list[Step] = []
    image = generate(TinyModel(), order(BASE), NOW, steps.append)
    small = image.pixels.reshape(128, 2, 128, 2).mean(axis=(1, 3))
    assert steps[-1].preview is not None
    assert np.abs(steps[-1].preview[0] - small).mean() < 0.5


def test_cancelling_stops_after_the_step() -> None:
    seen: list[int] = []

    def stop_at_three(step: Step) -> None:
        seen.append(step.index)
        if step.index == 3:
            raise Cancelled("Stopped by the user.")

    with pytest.raises(Cancelled, match="Stopped by the user"):
        generate(TinyModel(), order(BASE), NOW, stop_at_three)
    assert seen == [1, 2, 3]


def test_provenance_says_everything() -> None:
    image = generate_batch(TinyModel(), seeded(7, 8), NOW, quiet)[1]
    made = image.provenance
    assert made.request_digest == image.request.digest()
    assert (made.model_id, made.model_revision) == ("tiny", "1")
    assert made.weights_hash == TinyModel().card.weights_hash()
    assert (made.sampler, made.seed) == ("ddpm", 8)
    assert (made.device, made.dtype, made.batch) == ("cpu", "float32", 2)
    assert set(made.versions) == {"torch", "diffusers", "numpy", "synthread"}
    assert made.versions["numpy"] == np.__version__
    assert made.versions["synthread"] == __version__
    assert (made.created_at, made.requested_by) == (NOW, "reader")
    assert 0.0 < made.seconds < 60.0
    assert all(getattr(made, field.name) is not None for field in fields(made))


def test_every_image_is_checked() -> None:
    report = draw(replace(BASE, steps=12)).quality
    assert len(report.checks) == 6
    assert report.passed, report


def test_a_side_becomes_a_lesion_mask_on_that_side_only() -> None:
    def sided(side: Side) -> GenerationRequest:
        return replace(BASE, findings=(Finding("pneumonia", side=side, zone=Zone.LOWER),))

    left, right, normal = (
        draw(r).pixels.astype(int) for r in (sided(Side.LEFT), sided(Side.RIGHT), replace(BASE, findings=()))
    )
    half = slice(128, None)  # the patient's left is right in the picture
    assert np.abs(left - normal)[:, half].mean() > 5 * np.abs(left - normal)[:, :112].mean()
    assert np.abs(right - normal)[:, :112].mean() > 5 * np.abs(right - normal)[:, half].mean()


def test_zones_are_joined_and_only_where_one_is_named() -> None:
    model = TinyModel()
    requests = [
        BASE,
        replace(BASE, findings=(Finding("nodule", zone=Zone.UPPER), Finding("pleural_effusion", side=Side.LEFT))),
    ]
    cond = with_zones(model.encode_text(["", ""], 256), model, requests)
    upper, left = model.zone_mask(None, Zone.UPPER, 256), model.zone_mask(Side.LEFT, None, 256)
    assert cond.lesion[0].max() == 0.0
    assert cond.lesion_given[0].max() == 0.0
    assert torch.equal(cond.lesion[1], torch.maximum(upper, left)[0])
    assert cond.lesion_given[1].min() == 1.0


class WithoutAtlas(TinyModel):
    """A model that knows no zones."""

    def zone_mask(self, side: Side | None, zone: Zone | None, size_px: int, modality: str = "DX") -> Tensor | None:
        return None


def test_a_model_without_an_atlas_is_given_no_mask() -> None:
    model = WithoutAtlas()
    request = replace(BASE, findings=(Finding("nodule", side=Side.LEFT),))
    cond = with_zones(model.encode_text([""], 256), model, [request])
    assert cond.lesion_given.max() == 0.0


class ShortOfMemory(TinyModel):
    """A model whose device is full at the first call."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return super().denoise(z, sigma, cond)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 18.00 GB)."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_a_full_device_gives_one_sentence_and_the_next_request_works(error: Exception) -> None:
    model = ShortOfMemory(error)
    with pytest.raises(OutOfMemory) as caught:
        generate_batch(model, seeded(1, 2), NOW, quiet)
    assert str(caught.value) == (
        "The device cpu ran out of memory while drawing 2 image(s) of 256 px; ask for fewer or smaller images."
    )
    assert caught.value.__context__ is None  # or its frames would keep the tensors alive
    assert np.array_equal(generate(model, order(BASE), NOW, quiet).pixels, draw(BASE).pixels)


def test_other_runtime_errors_are_not_taken_for_a_full_device() -> None:
    with pytest.raises(RuntimeError, match="shape mismatch"):
        generate(ShortOfMemory(RuntimeError("shape mismatch")), order(BASE), NOW, quiet)


class NotANumber(TinyModel):
    """A model whose activations have overflowed."""

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        return super().denoise(z, sigma, cond) * float("nan")


def test_a_model_that_returns_no_numbers_is_an_error_not_a_picture() -> None:
    with pytest.raises(ModelError, match="not numbers"):
        generate(NotANumber(), order(BASE), NOW, quiet)


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, size_px=512),
        replace(BASE, steps=6),
        replace(BASE, guidance=2.5),
        replace(BASE, sampler="euler"),
        replace(BASE, model_id="other"),
        replace(BASE, edit=Edit("variation", "0" * 64, "upload:a", strength=0.5)),
    ],
)
def test_requests_drawn_differently_share_no_batch(other: GenerationRequest) -> None:
    assert not compatible(BASE, other)
    assert not compatible(other, BASE)
    with pytest.raises(RequestError):
        generate_batch(TinyModel(), [order(BASE), order(other)], NOW, quiet)


def test_requests_for_different_pictures_share_a_batch() -> None:
    assert compatible(BASE, replace(BASE, seed=9, modality=Modality.CT, view=View.AXIAL, findings=(), age=40))


def test_an_edit_without_its_base_image_is_refused() -> None:
    with pytest.raises(RequestError, match="An edit needs its base image"):
        draw(replace(BASE, edit=Edit("variation", "0" * 64, "upload:a", strength=0.5)))


def disc(y: int, x: int, radius: int) -> np.ndarray:
    rows, columns = np.ogrid[:256, :256]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


LUNG = disc(100, 75, 24)
HALF = np.arange(256)[None, :] + np.zeros((256, 1)) < 75


def edited(mode: str, base: Base, finding: str | None = "consolidation", **settings: Any) -> GeneratedImage:
    change = {name: settings.pop(name) for name in ("margin_px", "strength", "close_up") if name in settings}
    names = {
        "lesion": "1" * 64 if base.lesion is not None else None,
        "keep": "2" * 64 if base.keep is not None else None,
    }
    findings = (Finding(finding),) if finding else ()
    request = replace(BASE, findings=findings, edit=Edit(mode, "0" * 64, "upload:a", **names, **change), **settings)
    return generate(TinyModel(), replace(order(request), base=base), NOW, quiet)


@pytest.fixture(scope="module")
def normal() -> np.ndarray:
    return np.asarray(draw(replace(BASE, findings=(), seed=3)).pixels)


def test_a_drawn_lesion_appears_inside_its_mask_and_nothing_else_changes(normal: np.ndarray) -> None:
    pixels = edited("add", Base(normal, LUNG), margin_px=6).pixels.astype(int)
    change = pixels - normal
    outside = ~disc(100, 75, 31)
    assert np.array_equal(pixels[outside], normal[outside])
    inner = disc(100, 75, 16)
    assert change[inner].mean() > 15  # a consolidation is whiter than lung
    assert np.abs(change[inner]).mean() > 3 * np.abs(change[~LUNG & ~outside]).mean()


def test_the_keep_mask_is_kept_to_the_byte(normal: np.ndarray) -> None:
    kept = Base(normal, LUNG, np.asarray(HALF))
    pixels = edited("add", kept).pixels
    assert np.array_equal(pixels[HALF], normal[HALF])
    assert np.abs(pixels[LUNG & ~HALF].astype(int) - normal[LUNG & ~HALF]).mean() > 5


def test_a_lesion_that_was_added_can_be_removed_again(normal: np.ndarray) -> None:
    ill = np.asarray(edited("add", Base(normal, LUNG)).pixels)
    healed = edited("remove", Base(ill, LUNG), finding=None, margin_px=10).pixels.astype(int)
    inner = disc(100, 75, 16)
    assert np.abs(healed - normal)[inner].mean() < 0.5 * np.abs(ill.astype(int) - normal)[inner].mean()
    assert np.array_equal(healed[~disc(100, 75, 36)], ill[~disc(100, 75, 36)])


def test_a_variation_is_nearer_to_its_base_the_weaker_it_is(normal: np.ndarray) -> None:
    weak, strong = (
        np.abs(edited("variation", Base(normal), strength=s, steps=20).pixels.astype(int) - normal).mean()
        for s in (0.3, 0.9)
    )
    assert 0.2 < weak < 0.7 * strong


def test_an_edit_is_replayed_bit_for_bit(normal: np.ndarray) -> None:
    first, again = (edited("add", Base(normal, LUNG), sampler="ddpm") for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)


def test_an_edit_that_could_change_nothing_says_so(normal: np.ndarray) -> None:
    with pytest.raises(RequestError, match="No lesion is drawn"):
        edited("add", Base(normal, np.zeros((256, 256), bool)))


class Blurred(TinyModel):
    """A model whose codec loses fine detail, as real ones do."""

    def to_pixels(self, z: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(super().to_pixels(z), 3, 1, 1)


def test_the_codecs_own_error_is_kept_apart_and_in_no_pixel_outside_the_edit(normal: np.ndarray) -> None:
    request = replace(BASE, findings=(Finding("consolidation"),), edit=Edit("add", "0" * 64, "upload:a", "1" * 64))
    image = generate(Blurred(), replace(order(request), base=Base(normal, LUNG)), NOW, quiet)
    check = image.quality.checks[-1]
    assert (check.name, list(image.pictures)) == ("codec error", ["codec error"])
    assert check.value == np.abs(image.pictures["codec error"].astype(int) - normal).mean() > 0.5
    assert np.array_equal(image.pixels[~disc(100, 75, 33)], normal[~disc(100, 75, 33)])
    exact = edited("add", Base(normal, LUNG))
    assert exact.quality.checks[-1].value < 0.01  # the Haar transform loses nothing
    assert draw(BASE).pictures == {}


def test_the_grain_that_the_codec_loses_fades_from_a_variation_as_its_shapes_do(normal: np.ndarray) -> None:
    def varied(strength: float) -> GeneratedImage:
        request = replace(BASE, steps=20, edit=Edit("variation", "0" * 64, "upload:a", strength=strength))
        return generate(Blurred(), replace(order(request), base=Base(normal)), NOW, quiet)

    grain = normal.astype(int) - varied(1.0).pictures["codec error"]
    shares = [float((varied(s).pixels * grain).sum() / (grain * grain).sum()) for s in (0.05, 1.0)]
    assert shares[0] > shares[1] + 0.5


def test_a_close_up_draws_inside_the_mask_and_keeps_the_rest_to_the_byte(normal: np.ndarray) -> None:
    small = disc(100, 75, 9)
    image = edited("add", Base(normal, small), close_up=(36, 11, 128))
    change = image.pixels.astype(int) - normal
    assert not change[~disc(100, 75, 18)].any()
    assert change[small].mean() > 10
    whole = edited("add", Base(normal, small))
    assert not np.array_equal(image.pixels, whole.pixels)
    (decoded,) = image.pictures.values()
    assert np.array_equal(decoded[:36], normal[:36])  # the codec has seen the close-up only


def test_a_close_up_of_the_whole_is_the_edit_without_one(normal: np.ndarray) -> None:
    whole, near = (edited("add", Base(normal, LUNG), **how) for how in ({}, {"close_up": (0, 0, 256)}))
    assert np.array_equal(whole.pixels, near.pixels)


def test_a_close_up_that_misses_the_edit_mask_is_refused(normal: np.ndarray) -> None:
    with pytest.raises(RequestError, match=r"close-up of \(150, 150, 64\) px does not hold"):
        edited("add", Base(normal, disc(100, 75, 9)), close_up=(150, 150, 64))

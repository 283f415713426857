"""The making of a picture, in one straight line: `generate_batch`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synth import __version__, imaging, masks, prompts, quality, restoration, translation
from synth.diffusion import denoiser, edit, noise, sampler, schedule
from synth.diffusion.model import Condition, Model
from synth.errors import ModelError, OutOfMemory, RequestError
from synth.provenance import remark
from synth.types import Base, Edit, GeneratedImage, GenerationRequest, Provenance, QualityReport, Step

OnStep = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Order:
    """One image to be made: the request, who asked for it, the id that the image will have, the base of an edit."""

    request: GenerationRequest
    user: str
    image_id: str
    base: Base | None = None
    key: bytes | None = field(default=None, repr=False)  # of the invisible mark; without one there is none


def generate(model: Model, order: Order, created_at: datetime, on_step: OnStep) -> GeneratedImage:
    """The batch of one: see `generate_batch`. On a CPU an image is replayed bit for bit this way."""
    return generate_batch(model, [order], created_at, on_step)[0]


def generate_batch(
    model: Model, orders: Sequence[Order], created_at: datetime, on_step: OnStep
) -> list[GeneratedImage]:
    """Draw orders that are `compatible`, one image each, in order. `created_at` is UTC.

    `on_step` is called after every step and may raise Cancelled, which passes through. Raises RequestError where the
    orders cannot share a batch or an edit leaves nothing to draw, OutOfMemory, and ModelError where the model returns
    no numbers.
    """
    _check(model, orders)
    mode = orders[0].request.edit.mode if orders[0].request.edit else ""
    draw = {"": _draw, "translate": _draw, "restore": _draw_restored}.get(mode, _draw_edit)
    try:
        return draw(model, orders, created_at, on_step)
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
    # Here the exception is gone, and with it the frames that held the tensors.
    _empty_cache(model.device)
    size = orders[0].request.size_px
    raise OutOfMemory(
        f"The device {model.device} ran out of memory while drawing {len(orders)} image(s) of {size} px; "
        "ask for fewer or smaller images."
    )


@torch.inference_mode()
def _draw(model: Model, orders: Sequence[Order], created_at: datetime, on_step: OnStep) -> list[GeneratedImage]:
    started = time.perf_counter()
    requests = [order.request for order in orders]
    first = requests[0]

    captions = [prompts.render(request) for request in requests]
    cond = with_zones(model.encode_text(captions, first.size_px), model, requests)
    if orders[0].base is not None:  # a translation
        cond = edit.beside(cond, model.to_latent(_tensor(orders[0].base, model)))
    unasked = model.encode_text([prompts.render_unasked(request) for request in requests], first.size_px, captions)
    denoise = denoiser.guided(model, cond, unasked, first.guidance)

    draws = noise.cooled(model, cond, [request.seed for request in requests], first.size_px)
    if orders[0].base is not None:
        draws = (translation.TEMPERATURE * draw for draw in draws)
    sigmas = schedule.karras(first.steps)
    z = float(sigmas[0]) * next(draws)  # (B, C, h, w)
    for move in sampler.sample(first.sampler, denoise, z, sigmas, draws):
        on_step(Step(move.index, first.steps, move.sigma, _grey(model.preview(move.z0))))
        z = move.z

    pictures = model.to_pixels(z)
    if orders[0].base is not None:
        source = first.edit.source if first.edit else None
        head = translation.head(orders[0].base.pixels, source)
        pictures = pictures * torch.from_numpy(head).to(pictures)
    return _finished(model, orders, created_at, _grey(pictures), time.perf_counter() - started)


@torch.inference_mode()
def _draw_edit(model: Model, orders: Sequence[Order], created_at: datetime, on_step: OnStep) -> list[GeneratedImage]:
    started = time.perf_counter()
    (order,) = orders
    request, base = order.request, order.base
    assert request.edit is not None and base is not None
    whole, weight = _tensor(base, model), _weight(request.edit, base).to(model.device)
    square = request.edit.close_up or (0, 0, request.size_px)
    pixels, area = edit.magnified(whole, square), (edit.magnified(weight, square) > 0).float()

    caption = prompts.render(request)
    cond = model.encode_text([caption], request.size_px)
    unasked = model.encode_text([prompts.render_unasked(request)], request.size_px, [caption])
    latent = model.to_latent(pixels)
    if request.edit.mode == "add":
        assert base.lesion is not None
        lesion = torch.from_numpy(base.lesion.astype(np.float32))[None, None].to(model.device)
        cond = edit.onto(cond, latent, (edit.magnified(lesion, square) > 0.5).float())
    elif request.edit.mode == "remove":
        cond = edit.healed(cond, model, pixels, area)
    denoise = denoiser.guided(model, cond, unasked, request.guidance)
    denoise = edit.anchored(denoise, latent, edit.touched_cells(area, latent))

    draws = noise.cooled(model, cond, [request.seed], request.size_px)
    z, sigmas = edit.start(latent, next(draws), schedule.karras(request.steps), request.edit.strength)
    for move in sampler.sample(request.sampler, denoise, z, sigmas, draws):
        on_step(Step(move.index, len(sigmas) - 1, move.sigma, _grey(model.preview(move.z0))))
        z = move.z

    before, after = (edit.reduced(model.to_pixels(latents), square) for latents in (latent, z))
    fades = request.edit.strength if request.edit.mode == "variation" else 0.0  # the base's grain, with its shapes
    done = edit.composite(whole, torch.lerp(before, whole, fades), after, weight)
    (image,) = _finished(model, orders, created_at, _grey(done), time.perf_counter() - started)
    seen = edit.reduced(torch.ones_like(whole), square)
    return [_with_codec(image, _grey(torch.lerp(whole, before, seen))[0], base)]


def _tensor(base: Base, model: Model) -> Tensor:
    """The picture of a base, (1, 1, H, W) in [0, 1]."""
    return torch.from_numpy(base.pixels.astype(np.float32) / 255)[None, None].to(model.device)


@torch.no_grad()  # not inference mode: the misfit to the observed picture needs its gradient
def _draw_restored(
    model: Model, orders: Sequence[Order], created_at: datetime, on_step: OnStep
) -> list[GeneratedImage]:
    started = time.perf_counter()
    (order,) = orders
    request, base = order.request, order.base
    assert request.edit is not None and request.edit.restoration is not None and base is not None
    asked = request.edit.restoration
    result = restoration.restored(model, base, asked, request.modality, request.steps, on_step)
    pixels = _grey(torch.from_numpy(result.pixels)[None, None])
    (image,) = _finished(model, orders, created_at, pixels, time.perf_counter() - started)
    return [replace(image, quality=QualityReport((*image.quality.checks, *result.checks)))]


def _weight(edit: Edit, base: Base) -> Tensor:
    """(1, 1, H, W): how much of the change each pixel takes. Raises RequestError where no pixel could."""
    if edit.mode == "variation":
        area = np.ones(base.pixels.shape, bool) if base.keep is None else ~base.keep
    else:
        assert base.lesion is not None
        masks.check(base.lesion, base.keep, edit.margin_px, base.pixels)
        area = masks.edit_area(base.lesion, base.keep, edit.margin_px)
        top, left, side = edit.close_up or (0, 0, max(area.shape))
        if area.sum() > area[top : top + side, left : left + side].sum():
            raise RequestError(f"The close-up of {edit.close_up} px does not hold the edit mask.")
    return torch.from_numpy(masks.feathered(area))[None, None]


def _with_codec(image: GeneratedImage, decoded: npt.NDArray[np.uint8], base: Base) -> GeneratedImage:
    """The image with what the codec alone makes of its base, (H, W): an error that is in no pixel of the edit."""
    check, checks = quality.codec_error(decoded, base.pixels), image.quality.checks
    return replace(image, quality=QualityReport((*checks, check)), pictures={check.name: decoded})


def _finished(
    model: Model,
    orders: Sequence[Order],
    created_at: datetime,
    pictures: npt.NDArray[np.uint8],
    seconds: float,
) -> list[GeneratedImage]:
    """Pictures (B, H, W), marked, with request, provenance and checks of each."""
    marked = [remark.drawn(order.request, pixels, order.key) for order, pixels in zip(orders, pictures, strict=True)]
    return [
        GeneratedImage(
            id=order.image_id,
            pixels=pixels,
            request=order.request,
            provenance=provenance(model, order, created_at, seconds, len(orders)),
            quality=quality.check(pixels) if _shows_chest(model, order.request) else QualityReport(),
        )
        for order, pixels in zip(orders, marked, strict=True)
    ]


def compatible(a: GenerationRequest, b: GenerationRequest) -> bool:
    """True where two requests may share a batch: they differ in what is drawn and in the seed, not in how."""
    if a.edit is not None or b.edit is not None:
        return False
    return _settings(a) == _settings(b)


def with_zones(cond: Condition, model: Model, requests: Sequence[GenerationRequest]) -> Condition:
    """`cond` with the zone masks of all findings that name a side or zone, joined by their maximum, as lesion masks.

    A model without an atlas gives no mask: then the words of the caption alone say where.
    """
    lesion, given = cond.lesion.clone(), cond.lesion_given.clone()
    for row, request in enumerate(requests):
        for finding in request.findings:
            if finding.side is None and finding.zone is None:
                continue
            mask = model.zone_mask(finding.side, finding.zone, request.size_px, request.modality)
            if mask is not None:
                lesion[row] = torch.maximum(lesion[row], mask[0].to(lesion))
                given[row] = 1.0
    return replace(cond, lesion=lesion, lesion_given=given)


def provenance(model: Model, order: Order, created_at: datetime, seconds: float, batch: int) -> Provenance:
    """Everything that is needed to make the image again: what, by which weights, on what, when and for whom."""
    device = str(model.device)
    if model.device.type == "cuda":
        device = f"{device} {torch.cuda.get_device_name(model.device)}"
    return Provenance(
        request_digest=order.request.digest(),
        model_id=model.card.id,
        model_revision=model.card.revision,
        weights_hash=model.card.weights_hash(),
        sampler=order.request.sampler,
        seed=order.request.seed,
        device=device,
        dtype=str(model.dtype).removeprefix("torch."),
        versions={name: version(name) for name in ("torch", "diffusers", "numpy")} | {"synthread": __version__},
        created_at=created_at,
        requested_by=order.user,
        seconds=seconds,
        batch=batch,
        watermark_key=remark.key_id(order.key),
    )


def _settings(request: GenerationRequest) -> tuple[str, int, int, float, str]:
    return request.model_id, request.size_px, request.steps, request.guidance, request.sampler


def _shows_chest(model: Model, request: GenerationRequest) -> bool:
    """True where the limits of `quality`, those of chests, hold."""
    brain = request.edit is not None and request.edit.mode == "translate"
    return not brain and request.modality in model.card.modalities


def _check(model: Model, orders: Sequence[Order]) -> None:
    for order in orders:
        edit, modality = order.request.edit, order.request.modality
        if edit is not None and edit.mode == "translate":
            translation.check(edit.source, modality)
        elif modality not in model.card.modalities and (edit is None or edit.mode != "restore"):
            raise RequestError(
                f"{modality} is not drawn but from a slice of another modality, on the Translate page: the model has "
                "seen it in few people."
                if modality in translation.NAMES
                else f"{modality} is restored only; the model draws nothing of it."
            )
        if (order.request.edit is None) != (order.base is None):
            raise RequestError("An edit needs its base image, and a new image has none.")
        if len(orders) > 1 and not compatible(order.request, orders[0].request):
            raise RequestError("The requests differ in model, size, steps, guidance or sampler; draw them one by one.")


def _grey(pictures: Tensor) -> npt.NDArray[np.uint8]:
    """(B, 1, H, W) in [0, 1] to (B, H, W) uint8. Raises ModelError where a value is not a number."""
    if not bool(torch.isfinite(pictures).all()):
        raise ModelError("The model returned values that are not numbers; draw again with another seed or guidance.")
    return imaging.to_uint8(pictures[:, 0].float().cpu().numpy())


def _is_out_of_memory(error: Exception) -> bool:
    # CUDA raises its own type; MPS and the CPU's allocator a RuntimeError that only its words tell.
    text = str(error).lower()
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in text for words in ("out of memory", "can't allocate memory")
    )


def _empty_cache(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()

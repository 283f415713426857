"""Which translations there are, what a request for one asks, and what the model is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from torch import Tensor

from synth import prompts, translation
from synth.diffusion.model import Condition
from synth.errors import RequestError
from synth.generate import Order, generate
from synth.models.tiny import TinyModel
from synth.terms import TRANSLATIONS
from synth.training.labels import labels_of
from synth.training.wording import caption
from synth.types import Base, Edit, GenerationRequest, Modality, Step
from tests.phantoms import film

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SOURCE = film(256, 3)


def asked(source: Modality = Modality.CT, target: Modality = Modality.MR) -> GenerationRequest:
    return translation.request(source, target, "0" * 64, "upload:x:CT", 7, "tiny")


def quiet(step: Step) -> None:
    """Progress that nobody looks at."""


class Watched(TinyModel):
    """Remembers every condition that it was asked under."""

    def __init__(self) -> None:
        super().__init__()
        self.captions: list[str] = []
        self.seen: list[Condition] = []

    def encode_text(self, captions: list[str], size_px: int, look_of: list[str] | None = None) -> Condition:
        self.captions += captions
        return super().encode_text(captions, size_px, look_of)

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        self.seen.append(cond)
        return super().denoise(z, sigma, cond)


def test_the_model_is_given_what_the_training_task_gives() -> None:
    model = Watched()
    image = generate(model, Order(asked(), "reader", "a", Base(SOURCE)), NOW, quiet)
    known = model.to_latent(torch.from_numpy(SOURCE.astype(np.float32) / 255)[None, None])
    assert len(model.seen) >= translation.STEPS
    for cond in model.seen:
        assert torch.equal(cond.known[:1], known)
        assert cond.unknown.min() == 1.0 and cond.lesion_given.max() == 0.0
    assert image.pixels.shape == (256, 256)
    assert (image.request.mark, image.quality.checks) == ("ALTERED", ())


@pytest.mark.parametrize("column", ["CT", "MR", "PET"])
def test_the_caption_is_that_of_the_training_pairs(column: str) -> None:
    row = {"modality": column, "body_part": "BRAIN", "view": "axial", "sex": None, "age": None, "findings": []}
    trained = caption(replace(labels_of(row | {"origin": "Harvard Whole Brain Atlas"}), origin=None))
    way = next(way for way in TRANSLATIONS if way[1] == {"PET": "PT"}.get(column, column))
    assert prompts.render(asked(*way)) == trained


def test_the_same_seed_gives_the_same_translation_and_it_is_stored_whole() -> None:
    request = GenerationRequest.from_json(asked().canonical_json())
    assert request == asked()
    first, again = (generate(TinyModel(), Order(r, "me", "a", Base(SOURCE)), NOW, quiet) for r in (asked(), request))
    assert np.array_equal(first.pixels, again.pixels)
    assert prompts.describe(request) == "Brain MRI slice, translated from another picture (CT slice)."


@pytest.mark.parametrize(("source", "target"), [("CT", "PT"), ("PT", "CT"), ("CT", "CT"), ("DX", "MR"), (None, "MR")])
def test_a_pair_that_was_never_learnt_is_one_sentence(source: str | None, target: str) -> None:
    edit = Edit("translate", "0" * 64, "upload:x", source=source)
    request = GenerationRequest(modality=Modality(target), view=None, steps=2, model_id="tiny", edit=edit)
    with pytest.raises(RequestError, match="the model has learnt CT to MRI, MRI to CT, PET to MRI, MRI to PET") as said:
        generate(TinyModel(), Order(request, "reader", "a", Base(SOURCE)), NOW, quiet)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("modality", [Modality.MR, Modality.PET])
def test_what_few_people_were_seen_in_is_not_drawn_from_text_or_edited(modality: Modality) -> None:
    free = GenerationRequest(modality=modality, view=None, steps=2, model_id="tiny")
    varied = replace(free, edit=Edit("variation", "0" * 64, "upload:x", strength=0.5))
    for request, base in ((free, None), (varied, Base(SOURCE))):
        with pytest.raises(RequestError, match=f"{modality} is not drawn but from a slice of another modality"):
            generate(TinyModel(), Order(request, "reader", "a", base), NOW, quiet)
    with pytest.raises(RequestError, match="is not available on this page; the Translate page makes one"):
        prompts.to_request(prompts.parse(f"brain {modality.name}"), "")


def test_every_source_has_its_targets() -> None:
    assert translation.targets(Modality.MR) == (Modality.CT, Modality.PET)
    assert translation.targets(Modality.CT) == translation.targets(Modality.PET) == (Modality.MR,)
    assert translation.targets(Modality.DX) == ()


def test_the_best_has_the_most_decibels_or_the_least_error() -> None:
    methods = {"model": {"psnr": 20.0, "mae": 9.0}, "identity": {"psnr": 21.0, "mae": 10.0}}
    assert (translation.best(methods, "psnr"), translation.best(methods, "mae")) == ("identity", "model")


def test_the_air_around_the_head_stays_black_but_of_a_pet() -> None:
    rows, columns = np.ogrid[:256, :256]
    source = np.where((rows - 128) ** 2 + (columns - 128) ** 2 < 80**2, 180, 0).astype(np.uint8)
    for modality in (Modality.CT, Modality.MR):
        weight = translation.head(source, modality)
        assert weight[128, 128] == 1 and weight[128, 207] > 0
        assert not weight[:40].any() and not weight[:, 220:].any()
    assert translation.head(source, Modality.PET).min() == 1

"""Whole pictures: every kind and size, steps over all tiles, what is refused, what is checked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage import data
from skimage.color import rgb2gray
from torch import Tensor

from synth import baselines, masks, restoration
from synth.config import Settings
from synth.diffusion.restore import MEAN_SHIFT_MAX
from synth.engine import Engine
from synth.errors import RequestError
from synth.evaluation.restoration import damaged, score
from synth.generate import compatible, generate_batch
from synth.models import loader
from synth.models.tiny import TinyModel
from synth.store import Store
from synth.types import RESTORATIONS, Base, Edit, GenerationRequest, JobState, Restoration, Step
from tests.painting import until
from tests.phantoms import film


def restored(pixels: np.ndarray, kind: str, steps: int = 3, lost: np.ndarray | None = None) -> restoration.Restored:
    with torch.no_grad():
        base = Base(pixels, lost)
        return restoration.restored(TinyModel(), base, Restoration(kind, "DX chest"), "DX", steps, lambda step: None)


def eight_bit(grey: np.ndarray) -> np.ndarray:
    return np.rint(255 * grey).astype(np.uint8)


@pytest.mark.parametrize("kind", RESTORATIONS)
def test_every_kind_is_nearer_to_the_clean_picture_afterwards(kind: str) -> None:
    clean = film(256, 3)
    spoilt, hole = damaged(restoration.grey(clean), kind, 1)
    result = restored(spoilt, kind)
    factor = 256 // spoilt.shape[0]
    before = score(np.kron(spoilt, np.ones((factor, factor), np.uint8)), clean)
    assert result.pixels.shape == (256, 256)
    assert score(eight_bit(result.pixels), clean).psnr > before.psnr + 0.5
    (shift,) = (check for check in result.checks if check.name == restoration.MEAN_SHIFT)
    assert shift.passed and shift.high == pytest.approx(255 * MEAN_SHIFT_MAX)
    if hole is not None:
        assert np.array_equal(eight_bit(result.pixels)[~hole], spoilt[~hole])


@pytest.mark.parametrize("shape", [(64, 64), (65, 301), (300, 257)])
@pytest.mark.parametrize("kind", ["gaussian", "enlarge_2", "low_light"])
def test_any_size_keeps_its_size_and_all_steps_are_counted(shape: tuple[int, int], kind: str) -> None:
    pixels = film(310)[: shape[0], : shape[1]]
    factor = 2 if kind == "enlarge_2" else 1
    seen: list[Step] = []
    with torch.no_grad():
        result = restoration.restored(TinyModel(), Base(pixels), Restoration(kind), "DX", 2, seen.append)
    assert result.pixels.shape == (shape[0] * factor, shape[1] * factor)
    assert [step.index for step in seen] == list(range(1, seen[0].total + 1))
    assert seen[0].total == 2 * restoration.tiles.count(*shape, kind)


def test_tiles_leave_no_seam() -> None:
    clean = film(400)
    spoilt, _ = damaged(restoration.grey(clean), "gaussian", 0)
    result = restored(spoilt, "gaussian").pixels
    jump = np.abs(np.diff(result - restoration.grey(clean), axis=1)).mean(0)
    assert jump[140:260].max() < 3 * np.median(jump)


@pytest.mark.parametrize(
    ("shape", "kind", "sentence"),
    [
        ((48, 90), "gaussian", "The picture is 90 x 48 px; at least 64 px a side are restored."),
        ((4000, 4000), "gaussian", "The picture is 4000 x 4000 px, 324 tiles of 256 px; at most 64 are"),
        ((512, 512), "enlarge_4", "The picture is 512 x 512 px, 81 tiles of 256 px; at most 64 are"),
    ],
)
def test_a_size_that_cannot_be_restored_is_one_sentence(shape: tuple[int, int], kind: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        restored(np.zeros(shape, np.uint8), kind)
    assert str(caught.value).startswith(sentence)


def test_nothing_lost_too_much_lost_and_a_blank_picture_are_one_sentence() -> None:
    for kind in ("stripes", "blocks"):
        with pytest.raises(RequestError, match="No lost area was found"):
            restored(film(128), kind)
    with pytest.raises(RequestError, match="60% of the picture are lost"):
        restored(film(100), "blocks", lost=np.tile(np.arange(100) < 60, (100, 1)))
    with pytest.raises(RequestError, match="blank"):
        restored(np.full((128, 128), 80, np.uint8), "low_light")


@pytest.mark.parametrize("kind", ["stripes", "blocks"])
def test_what_was_lost_is_found_and_air_is_not(kind: str) -> None:
    framed = np.pad(np.maximum(film(224), 3), 16, constant_values=9)  # even bars around, no air as black as a loss
    spoilt, hole = damaged(restoration.grey(framed), kind, 2)
    found = masks.lost(restoration.grey(spoilt), kind)
    inside = np.zeros_like(found)
    inside[20:-20, 20:-20] = True
    assert hole is not None
    assert (found & inside & ~hole).sum() == 0
    assert (found & hole & inside).sum() > 0.9 * (hole & inside).sum()


class Detector(TinyModel):
    """A model that takes what is bright on either half of the picture for a finding."""

    def lesions(self, pixels: Tensor, modality: str) -> Tensor | None:
        return torch.nn.functional.adaptive_avg_pool2d(pixels, (1, 2))


def test_a_finding_that_comes_or_goes_fails_its_check() -> None:
    before = torch.full((1, 1, 64, 64), 0.4)
    after = before.clone()
    assert all(check.passed for check in restoration.finding_checks(Detector(), before, after, "DX"))
    after[..., 32:] = 0.6
    change, flips = restoration.finding_checks(Detector(), before, after, "DX")
    assert (change.passed, flips.passed, flips.value) == (True, False, 1.0)
    after[..., 32:] = 0.9
    assert not restoration.finding_checks(Detector(), before, after, "DX")[0].passed
    assert restoration.finding_checks(TinyModel(), before, after, "DX") == ()


def test_the_baselines_do_what_they_are_named_for() -> None:
    clean = restoration.grey(film(128))
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 0.08, clean.shape), 0, 1).astype(np.float32)
    hole = np.zeros(clean.shape, bool)
    hole[40:48] = True
    error = lambda grey: float(np.abs(grey - clean).mean())  # noqa: E731
    assert error(baselines.non_local_means(noisy, 0.08)) < 0.5 * error(noisy)
    assert error(baselines.biharmonic(np.where(hole, 0, clean).astype(np.float32), hole)) < 0.005
    assert baselines.bicubic(clean, 2).shape == (256, 256)
    assert baselines.clahe(0.2 * clean).std() > 2 * (0.2 * clean).std()
    assert set(baselines.NAMES) == set(RESTORATIONS)


def request(digest: str, kind: str = "gaussian", steps: int = 4) -> GenerationRequest:
    edit = Edit("restore", digest, "upload:a", restoration=Restoration(kind, "DX chest"))
    return GenerationRequest(view=None, steps=steps, sampler="euler", model_id="tiny", edit=edit)


def test_a_restoration_survives_the_store_and_says_what_it_is() -> None:
    asked = request("0" * 64)
    assert GenerationRequest.from_json(asked.canonical_json()) == asked
    assert asked.mark == "ALTERED"
    with pytest.raises(RequestError, match="Damage is 'cat'"):
        Restoration("cat")
    with pytest.raises(RequestError, match="must say which damage"):
        Edit("restore", "0", "upload:a")
    with pytest.raises(RequestError, match="only it may"):
        Edit("add", "0", "upload:a", "1", restoration=Restoration("blur"))
    with pytest.raises(RequestError, match="Noise is 200"):
        Restoration("gaussian", noise=200.0)


def engine(store: Store) -> Engine:
    return Engine(store, TinyModel, generate_batch, compatible)


def ended(running: Engine, job_id: str) -> Callable[[], bool]:
    return lambda: running.job(job_id).state not in (JobState.QUEUED, JobState.RUNNING)


def test_the_engine_restores_a_picture_and_keeps_it(store: Store) -> None:
    spoilt, _ = damaged(restoration.grey(film(300)), "gaussian", 0)
    running = engine(store)
    job = running.submit(request(store.add_picture(spoilt)), "ada")
    until(ended(running, job.id))
    image = store.image(running.job(job.id).image_id or "")
    running.close()
    assert image.pixels.shape == (300, 300)
    assert image.request.mark == "ALTERED"
    assert restoration.MEAN_SHIFT in {check.name for check in image.quality.checks}


def test_cancel_half_way_stops_within_a_step_and_keeps_nothing(store: Store) -> None:
    running = engine(store)
    job = running.submit(request(store.add_picture(film(600)), steps=200), "ada")
    until(lambda: running.job(job.id).step >= 3, "the third step")
    assert running.job(job.id).total == 200 * restoration.tiles.count(600, 600, "gaussian")
    running.cancel(job.id)
    until(lambda: running.status().running == 0, "the end")
    running.close()
    assert running.job(job.id).state is JobState.CANCELLED
    assert store.count_images() == 0


def test_a_real_picture_of_a_modality_never_trained_on_is_not_harmed() -> None:
    """A light micrograph, which comes with scikit-image: the model has seen no microscope."""
    tissue = eight_bit(rgb2gray(data.immunohistochemistry())[:256, :256])
    model = loader.load(Settings.from_env({}))
    for kind in ("gaussian", "blur", "blocks", "enlarge_2"):
        spoilt, hole = damaged(restoration.grey(tissue), kind, 0)
        with torch.no_grad():
            asked = Restoration(kind, noise=None, blur_px=1.5)
            result = restoration.restored(model, Base(spoilt, hole), asked, "OT", 3, lambda step: None)
        shift = next(check for check in result.checks if check.name == restoration.MEAN_SHIFT)
        assert shift.passed
        factor = 256 // spoilt.shape[0]
        before = score(np.kron(spoilt, np.ones((factor, factor), np.uint8)), tissue)
        assert score(eight_bit(result.pixels), tissue).psnr > before.psnr

"""How close is a translated slice to the real one? PSNR, SSIM and MAE on people who were not trained on, with rivals.

Rivals: the source as it is (identity); the source under one monotone curve a person, which brings that person's grey
levels above black to the mean histogram of the training targets; a small regression U-Net trained on the same pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from synth import translation
from synth.diffusion.model import Model
from synth.evaluation import regression
from synth.generate import Order, generate
from synth.terms import Modality
from synth.training.data import Collection
from synth.translation import MEASURES, METHODS, best
from synth.types import Base

Pictures = npt.NDArray[np.uint8]  # (N, 256, 256)

COLUMN = {Modality.CT: "CT", Modality.MR: "MR", Modality.PET: "PET"}  # SPECT, which the data hold too, is not asked for
BLACK = 8  # of 255: up to here a pixel is air around the head
# The atlas' three PET-MR volumes, named as three patients: resliced, each gives the others (correlation 0.87 to 0.95).
ONE_PERSON = {name: "PET-MRI" for name in ("PET-MRI_25", "PET-MRI_30", "PET-MRI_41")}


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The same slices in two modalities, and whose they are."""

    sources: Pictures
    targets: Pictures
    volumes: tuple[str, ...]  # column `patient`, one a slice

    @property
    def people(self) -> set[str]:
        """Who they are, volumes of one person taken together."""
        return {ONE_PERSON.get(name, name) for name in self.volumes}

    def thinned(self, every: int) -> Pairs:
        """Every `every`-th slice."""
        return Pairs(self.sources[::every], self.targets[::every], self.volumes[::every])


def is_paired(row: Mapping[str, Any]) -> bool:
    """True for the rows of the data that this evaluation needs."""
    return row["pair_id"] is not None


def pairs(data: Collection, split: str, source: Modality, target: Modality) -> Pairs:
    """The pairs of a split, in the order of the data."""
    found: dict[str, dict[str, int]] = {}
    for index in data.where(split=split):
        row = data.rows[index]
        if is_paired(row):
            found.setdefault(row["pair_id"], {})[row["modality"]] = int(index)
    both = [pair for pair in found.values() if {COLUMN[source], COLUMN[target]} <= set(pair)]
    sources, targets = ([pair[COLUMN[which]] for pair in both] for which in (source, target))
    return Pairs(data.pixels[sources], data.pixels[targets], tuple(data.rows[i]["patient"] for i in sources))


def spect_people(data: Collection) -> int:
    """How many people of the training have SPECT pairs: their captions say PET too, so the model mixes the two."""
    return len({data.rows[i]["patient"] for i in data.where(split="train", modality="SPECT")})


def translated(model: Model, sources: Pictures, source: Modality, target: Modality) -> tuple[Pictures, list[float]]:
    """The sources in the other modality as the app draws them, seeds 0, 1, ..., and the seconds of each."""
    drawn, seconds = [], []
    for seed, pixels in enumerate(sources):
        request = translation.request(source, target, "0" * 64, "real:evaluation", seed, model.card.id)
        image = generate(
            model, Order(request, "evaluation", str(seed), Base(pixels)), datetime.now(UTC), lambda _: None
        )
        drawn.append(np.asarray(image.pixels, np.uint8))
        seconds.append(image.provenance.seconds)
    return np.stack(drawn), seconds


def histogram_matched(test: Pairs, training_targets: Pictures) -> Pictures:
    """The sources, each person's greys by one rising curve onto the mean histogram of the targets; black stays."""
    wanted = _cumulative(training_targets)
    matched = np.empty_like(test.sources)
    for name in sorted(set(test.volumes)):
        mine = np.array([volume == name for volume in test.volumes])
        curve = np.interp(_cumulative(test.sources[mine]), wanted, np.arange(256))
        curve[: BLACK + 1] = np.arange(BLACK + 1)
        matched[mine] = np.rint(curve).astype(np.uint8)[test.sources[mine]]
    return matched


def _cumulative(pictures: Pictures) -> npt.NDArray[np.float64]:
    """Share of the pixels above black that are at most as bright as each of 256 levels."""
    counts = np.bincount(pictures.ravel(), minlength=256).astype(float)
    counts[: BLACK + 1] = 0.0
    return np.asarray(np.cumsum(counts) / counts.sum())


def measure(drawn: Pictures, real: Pictures) -> dict[str, float]:
    """Means over slices of the whole 256 x 256 picture, black around the head included; SSIM after Wang et al. 2004."""
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    every = [
        (
            peak_signal_noise_ratio(theirs, mine, data_range=255),
            structural_similarity(theirs, mine, data_range=255, **gaussian),
            np.abs(theirs.astype(float) - mine).mean(),
        )
        for mine, theirs in zip(drawn, real, strict=True)
    ]
    return dict(zip(MEASURES, (round(float(mean), 3) for mean in np.mean(every, axis=0)), strict=True))


def compare(
    model: Model, train: Pairs, test: Pairs, way: tuple[Modality, Modality], steps: int
) -> tuple[dict[str, Any], Pictures]:
    """The figures of one direction, and a sheet of source, target, model, histogram match and U-Net for four slices.

    `steps`: of the regression U-Net's training.
    """
    drawn, seconds = translated(model, test.sources, *way)
    network = regression.train(train.sources, train.targets, steps)
    rivals = {
        "model": drawn,
        "identity": test.sources,
        "histogram": histogram_matched(test, train.targets),
        "regression": regression.predict(network, test.sources),
    }
    shown = np.linspace(0, len(drawn) - 1, 6).astype(int)[1:-1]
    columns = (test.sources, test.targets, drawn, rivals["histogram"], rivals["regression"])
    sheet = np.stack([column[shown] for column in columns], axis=1).reshape(-1, *drawn.shape[1:])
    figures = {
        "source": way[0].value,
        "target": way[1].value,
        "train_people": len(train.people),
        "train_slices": len(train.sources),
        "test_people": len(test.people),
        "test_slices": len(test.sources),
        "new_people": len(test.people - train.people),
        "seconds": round(median(seconds), 2),
        "methods": {name: measure(pictures, test.targets) for name, pictures in rivals.items()},
    }
    return figures, sheet


def protocol() -> dict[str, str]:
    """What the figures rest on, in words, for the result file."""
    return {
        "data": "paired brain slices of the Harvard Whole Brain Atlas, 256 px, PET every third slice, no SPECT",
        "split": "test, by patient",
        "sampling": f"{translation.SAMPLER}, {translation.STEPS} steps, guidance {translation.GUIDANCE}, "
        f"noise at {translation.TEMPERATURE}, seed = number of the slice, one draw, "
        f"black beyond {translation.HEAD_MARGIN_PX} px around the head of a CT or MRI",
        "measures": "means over slices of the whole 8-bit picture with the black around the head; SSIM after Wang 2004",
        "histogram": "one rising curve a person, to the mean histogram of the training targets, black left out",
        "regression": f"U-Net, {regression.STEPS} steps of {regression.BATCH} training pairs, L1, seed 0",
    }


def table(directions: list[dict[str, Any]]) -> str:
    """Markdown: one line a direction and method, the best figure of each direction in bold."""
    head = " | ".join(MEASURES.values())
    lines = [f"| from | to | test slices (people) | method | {head} |", "|" + "---|" * (4 + len(MEASURES))]
    for one in directions:
        winners = {name: best(one["methods"], name) for name in MEASURES}
        for method, figures in one["methods"].items():
            cells = " | ".join(f"**{v:g}**" if winners[k] == method else f"{v:g}" for k, v in figures.items())
            count = f"{one['test_slices']} ({one['test_people']})"
            lines.append(f"| {one['source']} | {one['target']} | {count} | {METHODS[method]} | {cells} |")
    return "\n".join(lines)

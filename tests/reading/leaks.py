"""What tells real from synthetic without any anatomy: features of size, rim, histogram ends, noise and grids."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from synth import imaging

Picture = npt.NDArray[np.uint8]  # (H, W)
Features = dict[str, float]

PATCH = 1 / 16  # side of a corner patch, as a share of the picture's
RIM = 1 / 32  # width of a border, as a share of the picture's
BANDS = (0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50)  # cycles a pixel
GRIDS = (2, 4, 8)  # px: of JPEG (8, and smaller where it was shrunk) and of the codec (8, 4)
FOLDS, REPEATS = 5, 2


def features(picture: Picture) -> Features:
    """Everything that is measured of one picture."""
    values = picture.astype(np.float64)
    return _file(picture) | _greys(picture) | _rim(values) | _letters(values) | _noise(values) | _grids(values)


def _file(picture: Picture) -> Features:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=6)
    return {"height": picture.shape[0], "width": picture.shape[1], "png bytes a pixel": buffer.tell() / picture.size}


def _greys(picture: Picture) -> Features:
    """Levels in use and the ends of the histogram: that of its middle is anatomy."""
    counts = np.bincount(picture.ravel(), minlength=256)
    used = np.flatnonzero(counts)
    levels = {
        "levels": len(used),
        "gaps": int(used[-1] - used[0] + 1 - len(used)),
        "comb": float(np.abs(np.diff(counts, 2)).sum() / counts.sum()),  # a stretched histogram has teeth
        "lowest": int(used[0]),
        "highest": int(used[-1]),
        "share at 0": counts[0] / picture.size,
        "share at 255": counts[255] / picture.size,
        "share at lowest": counts[used[0]] / picture.size,
        "share at highest": counts[used[-1]] / picture.size,
    }
    return levels | {f"percentile {p}": float(np.percentile(picture, p)) for p in (0.1, 1, 99, 99.9)}


def _rim(values: npt.NDArray[np.float64]) -> Features:
    """Means and deviations of corner patches and of the border on each side."""
    found: Features = {}
    side = max(2, round(PATCH * min(values.shape)))
    for name, rows in (("upper", slice(None, side)), ("lower", slice(-side, None))):
        for hand, columns in (("left", slice(None, side)), ("right", slice(-side, None))):
            found[f"{name} {hand} mean"] = float(values[rows, columns].mean())
            found[f"{name} {hand} deviation"] = float(values[rows, columns].std())
    width = max(1, round(RIM * min(values.shape)))
    borders = {"top": values[:width], "bottom": values[-width:], "left": values[:, :width], "right": values[:, -width:]}
    for name, border in borders.items():
        along = border.mean(axis=0 if name in ("top", "bottom") else 1)
        found[f"{name} border mean"] = float(along.mean())
        found[f"{name} border deviation"] = float(along.std())
        found[f"{name} border roughness"] = float(np.abs(np.diff(along)).mean())
    return found


def _letters(values: npt.NDArray[np.float64]) -> Features:
    """Small bright things near the rim: letters, arrows, corners of frames."""
    size = max(3, round(min(values.shape) / 20))
    bright = values - ndimage.grey_opening(values, (size, size))
    ring = np.ones(values.shape, bool)
    edge = round(min(values.shape) / 6)
    ring[edge:-edge, edge:-edge] = False
    return {
        "rim tophat 99": float(np.percentile(bright[ring], 99)),
        "rim tophat 99.9": float(np.percentile(bright[ring], 99.9)),
        "rim tophat > 60": float((bright[ring] > 60).mean()),
    }


def _noise(values: npt.NDArray[np.float64]) -> Features:
    """Noise floor in flat areas, energy at high frequencies, correlation of neighbours in what is left of both."""
    laplacian = ndimage.laplace(values)[2:-2, 2:-2]
    relief = ndimage.gaussian_gradient_magnitude(values, 3)[2:-2, 2:-2]
    ground = ndimage.gaussian_filter(values, 3)[2:-2, 2:-2]
    shown = (ground > 8) & (ground < 247)
    flat = shown & (relief <= np.percentile(relief[shown], 25)) if shown.any() else np.ones_like(shown)
    found = {"noise floor": float(np.median(np.abs(laplacian[flat]))), "noise tails": _tails(laplacian[flat])}
    mottle = np.abs(ndimage.gaussian_filter(values, 1.5) - ndimage.gaussian_filter(values, 4))[2:-2, 2:-2]
    found["mottle in flat areas"] = float(np.median(mottle[flat]))
    dark = flat & (ground <= np.median(ground[flat]))
    found["mottle in bright flat areas"] = float(np.median(mottle[flat & (ground >= np.median(ground[flat]))]))
    found["noise floor, dark"] = float(np.median(np.abs(laplacian[dark])))
    middle = values[tuple(slice(n // 8, n - n // 8) for n in values.shape)]
    rest = middle - ndimage.gaussian_filter(middle, 2)
    power = np.abs(np.fft.fft2(rest * np.outer(np.hanning(rest.shape[0]), np.hanning(rest.shape[1])))) ** 2
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in rest.shape), indexing="ij"))
    bands = [power[(frequency >= a) & (frequency < b)].mean() for a, b in pairwise(BANDS)]
    for low, band in zip(BANDS, bands, strict=False):
        found[f"log energy from {low:.2f}"] = float(np.log(band / rest.size + 1e-9))
        found[f"share of energy from {low:.2f}"] = float(band / (sum(bands) + 1e-9))
    energy = (rest**2).mean() + 1e-9
    found["correlation along rows"] = float((rest[:, 1:] * rest[:, :-1]).mean() / energy)
    found["correlation along columns"] = float((rest[1:] * rest[:-1]).mean() / energy)
    found["correlation of the noise"] = float((laplacian[:, 1:] * laplacian[:, :-1])[flat[:, 1:]].mean())
    return found


def _tails(values: npt.NDArray[np.float64]) -> float:
    """Mean square over squared median of absolutes: 2.2 for Gaussian noise, more where edges are among it."""
    return float((values**2).mean() / (np.median(np.abs(values)) ** 2 + 1e-9))


def _grids(values: npt.NDArray[np.float64]) -> Features:
    """Blockiness at each phase of each period: how far steps between two lines surpass those of the lines beside."""
    found: Features = {}
    values = values[tuple(slice(n // 8, n - n // 8) for n in values.shape)]  # the rim is measured by itself
    for axis, name in ((0, "rows"), (1, "columns")):
        steps = np.log(np.abs(np.diff(values, axis=axis)).mean(axis=1 - axis) + 0.1)
        steps[1:-1] -= (steps[:-2] + steps[2:]) / 2  # of anatomy, slow along the lines, nothing stays
        for period in GRIDS:
            phases = np.array([steps[1:-1][phase::period].mean() for phase in range(period)])
            found[f"grid of {period}, {name}"] = float(np.ptp(phases))
            for phase, height in enumerate(phases):
                found[f"grid of {period} at {phase}, {name}"] = float(height)
    return found


def shrunk(picture: Picture, side_px: int) -> Picture:
    """The whole picture in (side_px, side_px), as a viewer shows it: antialiased, with bars."""
    return np.asarray(imaging.fit_square(picture, side_px))


def table(pictures: Sequence[Picture]) -> npt.NDArray[np.float64]:
    """(N, F): the features of each picture."""
    return np.array([[*features(picture).values()] for picture in pictures])


def classifiers() -> dict[str, object]:
    """The two that are tried, each made afresh: one for sums of traits, one for their combinations."""
    return {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000)),
        "random forest": RandomForestClassifier(150, min_samples_leaf=3, random_state=0),
    }


def aucs(real: Sequence[Picture], synthetic: Sequence[Picture], cases: Sequence[str]) -> dict[str, float]:
    """Mean AUC over repeated cross-validation of each classifier: 0.5 is blind, 1 is told without fail.

    `cases`: one name a real picture; the synthetic ones follow in the same order, any number of times. Pictures of
    one case are never both learnt from and judged.
    """
    x = np.concatenate((table(real), table(synthetic)))
    y = np.repeat((0, 1), (len(real), len(synthetic)))
    groups = np.array([*cases, *(cases[k % len(cases)] for k in range(len(synthetic)))])
    found: dict[str, list[float]] = {name: [] for name in classifiers()}
    for seed in range(REPEATS):
        for learnt, judged in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(x, y, groups):
            for name, model in classifiers().items():
                model.fit(x[learnt], y[learnt])  # type: ignore[attr-defined]
                score = model.predict_proba(x[judged])[:, 1]  # type: ignore[attr-defined]
                found[name].append(float(roc_auc_score(y[judged], score)))
    return {name: float(np.mean(values)) for name, values in found.items()}

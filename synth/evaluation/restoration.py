"""Restoration on unseen pictures with known damage: PSNR and SSIM of it and of the classical methods, in one table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from synth import baselines, restoration
from synth.diffusion.kinds import KINDS
from synth.diffusion.model import Model
from synth.generate import Order, generate
from synth.training.data import Collection
from synth.types import RESTORATIONS, Base, Edit, GenerationRequest, Modality, Restoration

Grey = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

SEED = 20
PICTURES = 32  # of a group
STEPS = 25
NOISE = 0.08  # of Gaussian noise, share of full grey: 20 levels
COUNTS = 100.0  # of a white pixel, of Poisson noise
BLUR_PX, BLUR_NOISE = 1.5, 0.004
DARK = (0.20, 0.45)  # light factors of low light
DARK_NOISE = 0.004
STRIPES, STRIPE_PX = 14, 4  # lost rows: number and greatest height
BLOCKS, BLOCK_PX = 10, 24
EQUAL_DB = 0.05  # closer than this is a draw, and then the simpler method is recommended


@dataclass(frozen=True, slots=True)
class Score:
    """PSNR in dB and SSIM against the clean picture."""

    psnr: float
    ssim: float


@dataclass(frozen=True, slots=True)
class Row:
    """One group and kind: mean scores over `pictures` pictures, and what restoration does to the mean (grey levels)."""

    group: str
    kind: str
    pictures: int
    damaged: Score | None  # None where the sizes differ
    baseline: Score
    restored: Score
    mean_shift: float  # the largest
    seconds: float  # a picture

    @property
    def better(self) -> str:
        """Which to use: "restored" where it wins by PSNR, else the name of the baseline."""
        gain = self.restored.psnr - self.baseline.psnr
        return "restored" if gain > EQUAL_DB else baselines.NAMES[self.kind]


def damaged(clean: Grey, kind: str, seed: int) -> tuple[Picture, npt.NDArray[np.bool_] | None]:
    """The clean picture (H, W) in [0, 1] spoilt in a known, seeded way and kept in 8 bit; where it was lost, if it was.

    None of the numbers drawn here reaches the restoration, but for the width of the blur and the factor 2 or 4.
    """
    random = np.random.default_rng([seed, RESTORATIONS.index(kind)])
    hole = None
    if kind == "low_light":
        y, x = np.mgrid[-1 : 1 : clean.shape[0] * 1j, -1 : 1 : clean.shape[1] * 1j]
        tilt = random.uniform(-1, 1, 2)
        haze = 0.06 * (1.0 + 0.5 * (tilt[0] * x + tilt[1] * y) - 0.5 * (x**2 + y**2))
        spoilt = random.uniform(*DARK) * clean + haze + random.normal(0, DARK_NOISE, clean.shape)
    elif kind == "gaussian":
        spoilt = clean + random.normal(0, NOISE, clean.shape)
    elif kind == "poisson":
        spoilt = random.poisson(clean * COUNTS) / COUNTS
    elif kind == "blur":
        spoilt = ndimage.gaussian_filter(clean, BLUR_PX) + random.normal(0, BLUR_NOISE, clean.shape)
    elif (factor := KINDS[kind].factor) > 1:
        height, width = clean.shape
        spoilt = clean.reshape(height // factor, factor, width // factor, factor).mean((1, 3))
    else:
        hole = _lost(clean.shape, kind, random)
        spoilt = np.where(hole, 0.0, clean)
    return np.rint(255 * np.clip(spoilt, 0, 1)).astype(np.uint8), hole


def score(picture: Picture, clean: Picture) -> Score:
    """PSNR (dB) and SSIM (Wang et al. 2004) of two (H, W) uint8 pictures; at most 99 dB."""
    psnr = peak_signal_noise_ratio(clean, picture, data_range=255) if (picture != clean).any() else 99.0
    return Score(float(psnr), float(structural_similarity(clean, picture, data_range=255)))


def measure(model: Model, group: str, kind: str, pictures: Sequence[Picture], steps: int = STEPS) -> Row:
    """Damage every picture (256, 256), restore it as the app does, and score it beside the baseline."""
    scores: dict[str, list[Score]] = {"damaged": [], "baseline": [], "restored": []}
    shifts, seconds = [], []
    for number, clean in enumerate(pictures):
        spoilt, hole = damaged(restoration.grey(clean), kind, SEED + number)
        asked = Restoration(kind, group, None, BLUR_PX)
        edit = Edit("restore", "0" * 64, "upload:0", restoration=asked)
        request = GenerationRequest(
            modality=_modality(group), view=None, steps=steps, sampler="euler", model_id=model.card.id, edit=edit
        )
        order = Order(request, "evaluation", str(number), Base(spoilt, hole))
        image = generate(model, order, datetime.now(UTC), lambda step: None)
        grey = restoration.grey(spoilt)
        plain = restoration.baseline(grey, restoration.damage_of(grey, asked, hole))
        scores["restored"].append(score(np.asarray(image.pixels, np.uint8), clean))
        scores["baseline"].append(score(np.rint(255 * plain).astype(np.uint8), clean))
        if spoilt.shape == clean.shape:
            scores["damaged"].append(score(spoilt, clean))
        checks = {check.name: check.value for check in image.quality.checks}
        shifts.append(checks[restoration.MEAN_SHIFT])
        seconds.append(image.provenance.seconds)
    mean = {name: _mean(found) for name, found in scores.items()}
    assert mean["baseline"] is not None and mean["restored"] is not None
    worst = max(shifts, key=abs)
    return Row(
        group, kind, len(pictures), mean["damaged"], mean["baseline"], mean["restored"], worst, float(np.mean(seconds))
    )


def groups(data: Collection, split: str, count: int, most: int | None) -> dict[str, list[Picture]]:
    """`count` pictures of each group of a split, "MR brain", chosen by SEED; the first `most` groups or all."""
    found: dict[str, list[int]] = {}
    for index in np.random.default_rng(SEED).permutation(data.where(split=split)):
        row = data.rows[index]
        found.setdefault(f"{row['modality']} {row['body_part'].lower()}", []).append(int(index))
    return {name: list(data.pixels[found[name][:count]]) for name in sorted(found)[:most]}


def protocol(count: int, split: str) -> dict[str, Any]:
    """How the table was made."""
    command = f"python -m synth.evaluation restore --count {count} --split {split}"
    return {"command": command, "steps": STEPS, "pictures": count, "split": split, "seed": SEED}


def run(
    model: Model,
    groups: Mapping[str, Sequence[Picture]],
    kinds: Sequence[str],
    out: Path,
    protocol: Mapping[str, Any],
    say: Callable[[str], None],
) -> list[Row]:
    """Measure every group and kind that `out` does not hold yet under the same protocol; it is written after each."""
    rows = _kept(out, protocol)
    done = {(row.group, row.kind) for row in rows}
    for kind in kinds:
        for group, pictures in groups.items():
            if (group, kind) in done:
                continue
            row = measure(model, group, kind, pictures, int(protocol["steps"]))
            say(f"{kind} {group}: {row.baseline.psnr:.2f} -> {row.restored.psnr:.2f} dB, {row.seconds:.1f} s")
            rows.append(row)
            out.write_text(json.dumps({"protocol": dict(protocol), **figures(rows)}, indent=1) + "\n")
    return rows


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """The rows as JSON, each with what it recommends."""
    return {"rows": [asdict(row) | {"better": row.better} for row in rows]}


def table(rows: Sequence[Row]) -> str:
    """Markdown, one line a kind and group, the winner of each measure in bold."""
    lines = ["| damage | group | n | damaged dB / SSIM | baseline | its dB / SSIM | restored dB / SSIM | use |"]
    lines.append("|" + "---|" * 8)
    for row in sorted(rows, key=lambda r: (RESTORATIONS.index(r.kind), r.group)):
        lines.append(" | ".join(("|", row.kind, row.group, str(row.pictures), *_cells(row))).replace("| |", "|") + " |")
    wins = sum(row.better == "restored" for row in rows)
    lines.append(f"\nRestored wins by PSNR in {wins} of {len(rows)} rows, the baseline in the others.")
    return "\n".join(lines)


def _cells(row: Row) -> Iterator[str]:
    yield "" if row.damaged is None else f"{row.damaged.psnr:.2f} / {row.damaged.ssim:.3f}"
    yield baselines.NAMES[row.kind]
    for mine, other in ((row.baseline, row.restored), (row.restored, row.baseline)):
        psnr = f"**{mine.psnr:.2f}**" if mine.psnr > other.psnr else f"{mine.psnr:.2f}"
        yield f"{psnr} / " + (f"**{mine.ssim:.3f}**" if mine.ssim > other.ssim else f"{mine.ssim:.3f}")
    yield row.better


def _lost(shape: tuple[int, ...], kind: str, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    hole = np.zeros(shape, bool)
    for _ in range(STRIPES if kind == "stripes" else BLOCKS):
        if kind == "stripes":
            top = random.integers(4, shape[0] - 8)
            hole[top : top + random.integers(1, STRIPE_PX + 1)] = True
        else:
            top, left = (random.integers(8, side - 8 - BLOCK_PX) for side in shape)
            hole[top : top + BLOCK_PX, left : left + BLOCK_PX] = True
    return hole


def _mean(scores: Sequence[Score]) -> Score | None:
    if not scores:
        return None
    return Score(float(np.mean([s.psnr for s in scores])), float(np.mean([s.ssim for s in scores])))


def _modality(group: str) -> Modality:
    name = {"PET": "PT"}.get(group.split()[0], group.split()[0])
    return Modality(name) if name in tuple(Modality) else Modality.OTHER


def _kept(out: Path, protocol: Mapping[str, Any]) -> list[Row]:
    """Rows of an earlier run under the same protocol; none where it differs."""
    if not out.is_file():
        return []
    data = json.loads(out.read_text())
    if data["protocol"] != protocol:
        return []
    scores = ("damaged", "baseline", "restored")
    plain = [{key: value for key, value in row.items() if key != "better"} for row in data["rows"]]
    return [Row(**row | {name: Score(**row[name]) if row[name] else None for name in scores}) for row in plain]

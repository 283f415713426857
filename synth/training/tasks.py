"""The tasks of one universal model as training examples: text, holes, drawn lesions, real masks, pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synth.captions import MAGNIFIED, Labels
from synth.diffusion.zones import Atlas, zone_mask
from synth.masks import grown
from synth.training import wording
from synth.training.bank import Simulated
from synth.training.data import SIZE_PX, Collection
from synth.training.labels import kind_of, labels_of
from synth.training.lesions import box_mask

Picture = npt.NDArray[np.uint8]
Area = npt.NDArray[np.float32]

DROP_MASK = 0.1  # a given lesion mask is hidden: guidance over the mask
EMPTY_MASK = 0.1  # normal pictures with "the lesion mask is given" and nothing in it
BY_HAND = 0.5  # of lesion masks given as round as people draw them
ROUNDED_PX = (2.0, 7.0)  # spread of the blur that rounds them
ZONE_INSTEAD = 0.4  # of sided lesions drawn freely: the soft zone that a typed side or lobe becomes
RARE = 150  # findings with fewer films are drawn three times as often, never more
CHEST_LESION_KINDS = ("consensus", "pseudo", "manual")


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One training example at 256 px. `known` None: nothing is known; `lesion` None: no mask is given."""

    pixels: Picture
    caption: str
    known: Picture | None = None
    unknown: Area | None = None  # 1 = to be drawn; None with a known picture: all of it (translation)
    lesion: Area | None = None
    kind: int = 0  # of the Gaussian prior


@dataclass(frozen=True, slots=True)
class Diet:
    """Shares of the tasks, and of chest films, chest CT and everything else, in the draws."""

    tasks: dict[str, float]
    groups: tuple[float, float, float]


class Examples:
    """Draws examples of all tasks from a collection and a bank of simulated lesions."""

    def __init__(self, data: Collection, split: str, bank: list[Simulated], atlas: Atlas, diet: Diet) -> None:
        self.data = data
        self.atlas = atlas
        self.bank = bank
        self.labels = [labels_of(row) for row in data.rows]
        self.indices = data.where(split=split)
        self.weights = row_weights(data, self.labels, self.indices, diet.groups)
        self._cumulative = np.cumsum(self.weights)
        self._masked = [i for i in self.indices if _has_lesion_mask(data, i)]
        self._pairs = _pairs(data, self.indices)
        tasks = {
            "text": True,
            "hole": True,
            "simulated": bool(bank),
            "mask": bool(self._masked),
            "pair": bool(self._pairs),
        }
        self._tasks = [name for name, possible in tasks.items() if possible]
        shares = np.array([diet.tasks[name] for name in self._tasks])
        self._shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator) -> Example:
        """One example of a task drawn by the mix."""
        task = self._tasks[rng.choice(len(self._tasks), p=self._shares)]
        example: Example = getattr(self, task)(rng)
        if example.lesion is not None and rng.random() < DROP_MASK:
            return replace(example, lesion=None)
        return example

    def text(self, rng: np.random.Generator) -> Example:
        """Caption to picture; for some normal ones the lesion mask is given and empty."""
        index = self._row(rng)
        labels = self.labels[index]
        empty = labels.findings == () and rng.random() < EMPTY_MASK
        lesion = np.zeros((SIZE_PX, SIZE_PX), np.float32) if empty else None
        return Example(self.data.pixels[index], wording.write(labels, rng), lesion=lesion, kind=kind_of(labels))

    def hole(self, rng: np.random.Generator) -> Example:
        """A real picture with a hole of 3 to 60 % of its area."""
        index = self._row(rng)
        picture, labels = self.data.pixels[index], self.labels[index]
        return Example(picture, wording.write(labels, rng), picture, random_hole(rng), kind=kind_of(labels))

    def simulated(self, rng: np.random.Generator) -> Example:
        """A third drawn freely, a third onto the untouched picture, a third into a hole of it; some holes heal."""
        case = self.bank[rng.integers(len(self.bank))]
        base, area = self.data.pixels[case.index], case.area()
        labels, exact = self.labels[case.index], area
        if rng.random() < BY_HAND:
            area = rounded(area, float(rng.uniform(*ROUNDED_PX)))
        kind = kind_of(labels)
        ill = replace(labels, findings=(case.finding,), extra=None)
        way = rng.random()
        if way < 1 / 3:
            finding = case.finding
            sided = finding.side or finding.zone
            if sided and rng.random() < ZONE_INSTEAD:
                area = zone_mask(self.atlas, finding.side, finding.zone, labels.modality)
            return Example(case.pixels, wording.write(ill, rng), lesion=area, kind=kind)
        if way < 2 / 3:  # the picture before is known in full, as in a translation: what lies under the lesion stays
            return Example(case.pixels, wording.write(ill, rng), base, lesion=area, kind=kind)
        hole = grown(np.maximum(area, exact), int(rng.integers(2, 14))).astype(np.float32)
        if rng.random() < 0.3:
            return Example(base, wording.write(labels, rng), base, hole, np.zeros_like(area), kind)
        return Example(case.pixels, wording.write(ill, rng), base, hole, area, kind)

    def mask(self, rng: np.random.Generator) -> Example:
        """A real lesion with a reader's mask or box, half of them into the rest of the same picture."""
        index = int(self._masked[rng.integers(len(self._masked))])
        picture, labels = self.data.pixels[index], self.labels[index]
        area = _lesion_area(self.data, index)
        text = wording.write(labels, rng)
        if rng.random() < 0.5:
            return Example(picture, text, lesion=area, kind=kind_of(labels))
        return Example(
            picture, text, picture, grown(area, int(rng.integers(2, 14))).astype(np.float32), area, kind_of(labels)
        )

    def pair(self, rng: np.random.Generator) -> Example:
        """The same slice in another modality is the known picture; all is to be drawn."""
        target, source = self._pairs[rng.integers(len(self._pairs))]
        labels = self.labels[target]
        return Example(
            self.data.pixels[target], wording.write(labels, rng), self.data.pixels[source], kind=kind_of(labels)
        )

    def of_kind(self, kind: int, count: int, rng: np.random.Generator) -> list[Example]:
        """`count` captioned pictures of one kind of the Gaussian prior, drawn by their weights; none if there is none.

        A quarter are simulated lesions where the kind has some: only they tell right from left and up from down.
        """
        here = np.array([kind_of(self.labels[i]) == kind for i in self.indices])
        if not here.any():
            return []
        weights = self.weights * here
        chosen = rng.choice(self.indices, count, p=weights / weights.sum())
        examples = [Example(self.data.pixels[i], wording.write(self.labels[i], rng), kind=kind) for i in chosen]
        ill = [case for case in self.bank if kind_of(self.labels[case.index]) == kind]
        for k in range(count // 4 if ill else 0):
            case = ill[rng.integers(len(ill))]
            labels = replace(self.labels[case.index], findings=(case.finding,))
            examples[k] = Example(case.pixels, wording.write(labels, rng), kind=kind)
        return examples

    def _row(self, rng: np.random.Generator) -> int:
        place = np.searchsorted(self._cumulative, rng.random() * self._cumulative[-1], side="right")
        return int(self.indices[place])


def row_weights(
    data: Collection, labels: list[Labels], indices: npt.NDArray[np.int64], groups: tuple[float, float, float]
) -> npt.NDArray[np.float64]:
    """Sampling weights that sum to 1: few-patient origins, normals and children less, findings more.

    `groups` are the shares of chest films, chest CT and everything else.
    """
    origins: dict[str, set[str]] = {}
    images: dict[str, int] = {}
    films: dict[str, int] = {}
    for i in indices:
        row = data.rows[i]
        unknown = row["patient"].startswith("unknown:")
        origins.setdefault(row["origin"], set()).add(row["id"] if unknown else row["patient"])
        images[row["origin"]] = images.get(row["origin"], 0) + 1
        for finding in labels[i].findings or ():
            films[finding.code] = films.get(finding.code, 0) + 1
    weights = np.ones(len(indices))
    for k, i in enumerate(indices):
        row, label = data.rows[i], labels[i]
        weights[k] = min(1.0, 20 * len(origins[row["origin"]]) / images[row["origin"]])
        if label.extra == MAGNIFIED:
            weights[k] *= 0.4
        if label.modality == "DX":
            weights[k] *= _film_weight(label, films)
    group = np.array([group_of(labels[i]) for i in indices])
    totals = np.bincount(group, weights, minlength=3)
    weights *= (np.array(groups) / np.maximum(totals, 1e-9))[group]
    return np.asarray(weights / weights.sum())


def group_of(label: Labels) -> int:
    """0 chest film, 1 chest CT, 2 everything else."""
    if label.body_part != "chest":
        return 2
    return {"DX": 0, "CT": 1}.get(label.modality, 2)


def _film_weight(label: Labels, films: dict[str, int]) -> float:
    if label.origin == "kermany":
        return 0.8
    if not label.findings:
        return 0.7
    return 3.0 if min(films[finding.code] for finding in label.findings) < RARE else 2.0


def rounded(area: Area, spread_px: float) -> Area:
    """The area with a smooth border and about its size, as a hand draws it, each part of it: (H, W) float32 0 or 1."""
    drawn = np.zeros(area.shape, bool)
    parts, count = ndimage.label(area > 0.5)
    for part in range(1, count + 1):
        soft = ndimage.gaussian_filter((parts == part).astype(np.float32), spread_px)
        drawn |= soft > 0.5 * soft.max()
    return drawn.astype(np.float32)


def random_hole(rng: np.random.Generator) -> Area:
    """Boxes, ellipses and strokes that cover 3 to 60 % of the picture, (256, 256) float32 0 or 1."""
    hole = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    rows, columns = np.ogrid[:SIZE_PX, :SIZE_PX]
    wanted = rng.uniform(0.03, 0.6)
    while hole.mean() < wanted:
        y, x = rng.integers(0, SIZE_PX, 2)
        a, b = rng.uniform(10, 70, 2)
        if rng.random() < 0.5:
            hole[max(0, int(y - a)) : int(y + a), max(0, int(x - b)) : int(x + b)] = 1.0
        else:
            hole[((rows - y) / a) ** 2 + ((columns - x) / b) ** 2 < 1.0] = 1.0
    return hole


def _has_lesion_mask(data: Collection, index: int) -> bool:
    row = data.rows[index]
    if row["boxes"]:
        return True
    kind = row["mask_kind"] or ""
    return row["body_part"] == "CHEST" and index in data.masks and kind.startswith(CHEST_LESION_KINDS)


def _lesion_area(data: Collection, index: int) -> Area:
    boxes: list[dict[str, Any]] | None = data.rows[index]["boxes"]
    if boxes:
        return box_mask([(b["x"], b["y"], b["w"], b["h"]) for b in boxes], (SIZE_PX, SIZE_PX))
    return data.masks[index].astype(np.float32)


def _pairs(data: Collection, indices: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """(target, source) of every pair, both ways."""
    of: dict[str, list[int]] = {}
    for i in indices:
        if data.rows[i]["pair_id"]:
            of.setdefault(data.rows[i]["pair_id"], []).append(int(i))
    return [(a, b) for group in of.values() for a in group for b in group if a != b]

"""What the readers learn from: the labels, boxes and masks of real chest pictures, as targets with gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from synth.captions import MAGNIFIED, Labels
from synth.models.networks.classifier import CELLS, SIDE_PX
from synth.training.data import Collection
from synth.training.labels import labels_of
from synth.training.lesions import box_mask

CODES = ("pleural_effusion", "lung_opacity", "covid_19", "nodule")
# The words of the sources overlap in meaning: to a reader of one film all of these are an opacity of the lung.
OPACITIES = {
    "lung_opacity", "pneumonia", "bacterial_pneumonia", "viral_pneumonia", "infiltration", "consolidation",
    "ground_glass_opacity",
}  # fmt: skip
NODULES = {"nodule", "mass"}
_ADULT = 16  # years
_UNKNOWN = np.nan
_NAMELESS = "NIH ChestX-ray14 (name unknown)"  # the source of nearly all effusions, with normals of its own
_SEEN_SHARE = 0.002  # of the picture: a smaller lesion mask shows nothing

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """N chest pictures: pixels (N, 128, 128) uint8; findings (N, F) 1, 0 or nan; maps (N, F, 16, 16), nan where
    nobody outlined; male (N,) 1, 0 or nan; age (N,) / 100 or nan; group (N,) a number for one origin and label.
    """

    rows: npt.NDArray[np.int64]  # of the collection
    pixels: npt.NDArray[np.uint8]
    findings: Floats
    maps: Floats
    male: Floats
    age: Floats
    group: npt.NDArray[np.int64]

    @classmethod
    def of(cls, data: Collection, split: str) -> Targets:
        """The chest films and whole chest slices of one split."""
        labels = [labels_of(row) for row in data.rows]
        rows = np.array([i for i in data.where(split=split) if _is_chest(labels[i])])
        findings = np.stack([findings_of(data, labels[i], int(i)) for i in rows])
        keys = [f"{data.rows[i]['origin']}{values}" for i, values in zip(rows, findings, strict=True)]
        adult = [label.age if label.age is not None and label.age >= _ADULT else None for label in labels]
        return cls(
            rows=rows,
            pixels=small(data.pixels[rows]),
            findings=findings,
            maps=np.stack([_maps_of(data, labels[i], int(i)) for i in rows]),
            male=np.array([{"M": 1.0, "F": 0.0}.get(labels[i].sex or "", _UNKNOWN) for i in rows], np.float32),
            age=np.array([_UNKNOWN if (age := adult[i]) is None else age / 100 for i in rows], np.float32),
            group=np.unique(keys, return_inverse=True)[1],
        )


def small(pixels: npt.NDArray[np.uint8], side_px: int = SIDE_PX) -> npt.NDArray[np.uint8]:
    """(N, 256, 256) to (N, side, side), by area."""
    parts = torch.from_numpy(pixels)[:, None].split(256)
    means = [F.interpolate(part.float(), size=(side_px, side_px), mode="area")[:, 0] for part in parts]
    return torch.cat(means).round().byte().numpy()


def findings_of(data: Collection, labels: Labels, index: int) -> Floats:
    """(F,) of one picture: 1 there, 0 not there, nan nobody said."""
    if labels.modality == "CT":
        return np.array([_UNKNOWN, _UNKNOWN, _covid_of_slice(data, labels, index), _UNKNOWN], np.float32)
    if labels.findings is None:
        return np.full(len(CODES), _UNKNOWN, np.float32)
    codes = {finding.code for finding in labels.findings}
    told = {
        "pleural_effusion": _effusion(data.rows[index], codes),
        "lung_opacity": 1.0 if codes & OPACITIES else 0.0 if not codes else _UNKNOWN,
        "covid_19": 1.0 if "covid_19" in codes else 0.0,
        "nodule": 1.0 if codes & NODULES else 0.0 if not codes else _UNKNOWN,
    }
    return np.array([told[code] for code in CODES], np.float32)


def _effusion(row: dict[str, Any], codes: set[str]) -> float:
    """Normals of other sources say nothing: told against them a source would be learnt, not the effusion."""
    if "pleural_effusion" in codes:
        return 1.0
    return 0.0 if codes or row["origin"] == _NAMELESS else _UNKNOWN


def _covid_of_slice(data: Collection, labels: Labels, index: int) -> float:
    if labels.findings == ():
        return 0.0
    if labels.findings is None or "covid_19" not in {finding.code for finding in labels.findings}:
        return _UNKNOWN
    return 1.0 if index not in data.masks or data.masks[index].mean() > _SEEN_SHARE else 0.0


def _maps_of(data: Collection, labels: Labels, index: int) -> Floats:
    maps = np.full((len(CODES), CELLS, CELLS), _UNKNOWN, np.float32)
    if labels.modality == "CT":
        if index in data.masks:
            maps[CODES.index("covid_19")] = _cells(data.masks[index].astype(np.float32))
        return maps
    areas: dict[str, list[tuple[float, float, float, float]]] = {}
    for box in data.rows[index]["boxes"] or ():
        word = box["finding"].lower().replace(" ", "_").replace("effusion", "pleural_effusion")
        code = "lung_opacity" if word in OPACITIES else "nodule" if word in NODULES else word
        areas.setdefault(code, []).append((box["x"], box["y"], box["w"], box["h"]))
    for code, boxes in areas.items():
        if code in CODES:
            maps[CODES.index(code)] = _cells(box_mask(boxes, (256, 256)))
    return maps


def _cells(area: Floats) -> Floats:
    step = area.shape[0] // CELLS
    return np.asarray(area.reshape(CELLS, step, CELLS, step).mean((1, 3)), np.float32)


def _is_chest(labels: Labels) -> bool:
    return labels.body_part == "chest" and labels.modality in ("DX", "CT") and labels.extra != MAGNIFIED

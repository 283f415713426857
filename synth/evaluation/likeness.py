"""How good the distance between pictures is: what the nearest picture has in common, and whether copies stand out."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth.library.likeness import MAY_BE_COPY
from synth.models.embedding import Embedder
from synth.training.data import Collection

COPIES = 400  # films that are copied
LEAST = 10  # films a finding needs to count in the balanced mean

Picture = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


def jpeg(picture: Picture) -> Picture:
    """Re-encoded at JPEG quality 40."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=40)
    return np.asarray(Image.open(data))


def cropped(picture: Picture, share: float) -> Picture:
    """Without `share` of the side at each of the four borders."""
    rows, columns = (round(share * length) for length in picture.shape)
    return picture[rows : picture.shape[0] - rows, columns : picture.shape[1] - columns]


def smaller(picture: Picture) -> Picture:
    """At less than half the size."""
    return np.asarray(Image.fromarray(picture).resize((112, 112), Image.Resampling.BICUBIC))


def darker(picture: Picture) -> Picture:
    """With gamma 1.4."""
    return (255 * (picture / 255.0) ** 1.4).astype(np.uint8)


def turned(picture: Picture) -> Picture:
    """Turned by 3 degrees."""
    return np.asarray(Image.fromarray(picture).rotate(3, Image.Resampling.BICUBIC))


CHANGES: Mapping[str, Callable[[Picture], Picture]] = {
    "JPEG, quality 40": jpeg,
    "112 px": smaller,
    "gamma 1.4": darker,
    "turned by 3 degrees": turned,
    "2 % cut off each side": lambda picture: cropped(picture, 0.02),
    "5 % cut off each side": lambda picture: cropped(picture, 0.05),
    "10 % cut off each side": lambda picture: cropped(picture, 0.10),
}


def table(embed: Embedder, data: Collection, split: str) -> str:
    """Both measures as Markdown: the nearest picture of another patient, and how far copies of films lie away."""
    rows = data.where(split=split)
    vectors = embed([data.pixels[i] for i in rows])
    labels = [data.rows[i] for i in rows]
    kinds = np.array([f"{row['modality']} {row['body_part']}" for row in labels])
    people = np.array([_patient(row["patient"], i) for i, row in enumerate(labels)])
    films = np.flatnonzero(kinds == "DX CHEST")
    nearest, away = _nearest(vectors[films], people[films])
    views = np.array([labels[i]["view"] or "" for i in films])
    findings = np.array(["|".join(sorted(labels[i]["findings"])) for i in films])
    whole, _ = _nearest(vectors, people)
    same = findings[nearest] == findings
    common = [f for f in np.unique(findings) if (findings == f).sum() >= LEAST]
    lines = [
        f"{len(rows)} pictures, {len(films)} chest films ({split}), {embed.id}. Nearest picture of another patient has",
        f"the same modality and part {np.mean(kinds[whole] == kinds):.3f}",
        f"(films) the same view {np.mean((views[nearest] == views)[views != '']):.3f}",
        f"(films) the same findings {np.mean(same):.3f}, mean over {len(common)} sets of findings "
        f"{np.mean([same[findings == f].mean() for f in common]):.3f}",
        f"(films) distance: 1 % {np.quantile(away, 0.01):.4f}, 5 % {np.quantile(away, 0.05):.4f}, "
        f"median {np.median(away):.4f}, 95 % {np.quantile(away, 0.95):.4f}",
        "",
        "| copy of a film | median distance | 95 % | told to be a possible copy |",
        "|---|---|---|---|",
        *_copies(embed, data.pixels[rows[films]], vectors[films], float(np.quantile(away, 1 - MAY_BE_COPY))),
    ]
    return "\n".join(lines)


def _copies(embed: Embedder, films: Picture, vectors: Vectors, near: float) -> list[str]:
    chosen = np.random.default_rng(0).choice(len(films), min(COPIES, len(films)), replace=False)
    lines = []
    for name, change in CHANGES.items():
        copies = embed([change(films[i]) for i in chosen])
        distances = 1 - (copies * vectors[chosen]).sum(axis=1)
        middle, high = np.quantile(distances, (0.5, 0.95))
        lines.append(f"| {name} | {middle:.4f} | {high:.4f} | {np.mean(distances < near):.2f} |")
    return lines


def _nearest(vectors: Vectors, people: npt.NDArray[np.str_]) -> tuple[npt.NDArray[np.int64], Vectors]:
    """Row and distance of the nearest picture of another patient."""
    distances = 1 - vectors @ vectors.T
    distances[people[:, None] == people] = np.inf
    nearest = distances.argmin(axis=1)
    return nearest, distances[np.arange(len(vectors)), nearest]


def _patient(name: str, row: int) -> str:
    return f"{row}" if name.startswith("unknown") else name

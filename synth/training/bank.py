"""The bank of simulated lesions: real normal pictures with a lesion drawn in, its exact mask and its finding."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synth.captions import Labels
from synth.errors import RequestError
from synth.training.data import SIZE_PX, Collection
from synth.training.labels import labels_of
from synth.training.lesions import FILM_KINDS, SLICE_KINDS, ct_lungs, simulate
from synth.types import Finding, Severity, Side, Zone

WORTH_PROCESSES = 64  # lesions; fewer are drawn here
_SETTING: tuple[Collection, list[int], list[int], int]  # of a worker process of `make_bank`


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """One simulated lesion on a real normal picture (row `index` of the collection)."""

    index: int
    pixels: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]  # packed bits of (256, 256)
    finding: Finding

    def area(self) -> npt.NDArray[np.float32]:
        """The mask, (256, 256) float32 0 or 1."""
        return np.unpackbits(self.mask).reshape(SIZE_PX, SIZE_PX).astype(np.float32)


def make_bank(data: Collection, split: str, count: int, seed: int) -> list[Simulated]:
    """`count` simulated lesions on normal films with lung masks (4 of 5) and on chest CT slices (1 of 5).

    Drawn by one process a core, each lesion by a generator of its own: the bank is a function of `seed`.
    """
    labels = [labels_of(row) for row in data.rows]
    films = [int(i) for i in data.where(split=split, modality="DX") if i in data.masks and labels[i].findings == ()]
    slices = [int(i) for i in data.where(split=split, modality="CT") if _plain_slice(data, labels, i)]
    if not films or not count:
        return []
    setting = (data, films, slices, seed)
    if count < WORTH_PROCESSES:
        _hold(setting)
        return [case for k in range(count) if (case := _simulate(k)) is not None]
    with multiprocessing.get_context("fork").Pool(initializer=_hold, initargs=(setting,)) as pool:
        return [case for case in pool.imap(_simulate, range(count), chunksize=8) if case is not None]


def _hold(setting: tuple[Collection, list[int], list[int], int]) -> None:
    """Keep the pictures in a worker process: forked memory, so nothing is copied."""
    global _SETTING
    _SETTING = setting


def _simulate(k: int) -> Simulated | None:
    data, films, slices, seed = _SETTING
    rng = np.random.default_rng((seed, k))
    on_slice = bool(slices) and rng.random() < 0.2
    index = int(rng.choice(slices if on_slice else films))
    pixels = data.pixels[index].astype(np.float32) / 255
    code = str(rng.choice(sorted(SLICE_KINDS if on_slice else FILM_KINDS)))
    try:
        lungs = ct_lungs(pixels) if on_slice else data.masks[index]
        lesion = simulate(pixels, lungs, Finding(code), rng, "CT" if on_slice else "DX")
    except RequestError:  # this picture has no room for this lesion; the next one has
        return None
    changed = (lesion.pixels * 255).round().astype(np.uint8)
    return Simulated(index, changed, np.packbits(lesion.mask), lesion.finding)


def _plain_slice(data: Collection, labels: list[Labels], index: int) -> bool:
    return labels[index].extra is None and labels[index].findings == () and data.rows[index]["body_part"] == "CHEST"


def save_bank(path: Path, bank: list[Simulated]) -> None:
    """Write the bank as one .npz file, whole or not at all: another process may be waiting for it."""
    draft = path.with_name(f"{path.stem}-{os.getpid()}.npz")
    np.savez(
        draft,
        index=np.array([case.index for case in bank]),
        pixels=np.stack([case.pixels for case in bank]),
        mask=np.stack([case.mask for case in bank]),
        finding=np.array([json.dumps(asdict(case.finding)) for case in bank]),
    )
    os.replace(draft, path)


def load_bank(path: Path) -> list[Simulated]:
    """The bank back from `save_bank`."""
    with np.load(path) as file:
        index, pixels, mask, findings = (file[name] for name in ("index", "pixels", "mask", "finding"))
    return [
        Simulated(int(i), p, m, _finding(json.loads(str(f))))
        for i, p, m, f in zip(index, pixels, mask, findings, strict=True)
    ]


def _finding(data: dict[str, str | None]) -> Finding:
    side, zone, severity = data["side"], data["zone"], data["severity"]
    return Finding(
        str(data["code"]),
        Side(side) if side else None,
        Zone(zone) if zone else None,
        Severity(severity) if severity else None,
    )

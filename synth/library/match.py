"""Which real images belong beside a synthetic one: the same findings first, then view, age and sex."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from heapq import nsmallest

from synth.library.labels import NORMAL
from synth.types import GenerationRequest, RealImage

# a code and the nearest wider or neighbouring one, under which a collection may have filed it
_BROADER = {
    "bacterial_pneumonia": "pneumonia",
    "viral_pneumonia": "pneumonia",
    "covid_19": "viral_pneumonia",
    "pneumocystis": "pneumonia",
    "ground_glass_opacity": "lung_opacity",
    "consolidation": "lung_opacity",
    "mass": "lung_cancer",
    "nodule": "mass",
}
_AGE_STEP = 10  # years: within a decade the sex counts more than the exact age
_UNKNOWN_AGE = 200  # years: further away than any known age


def match(images: Iterable[RealImage], request: GenerationRequest, k: int) -> list[RealImage]:
    """The k best images, best first; always the same for the same input.

    Another modality is never shown; images of unknown modality come last. Findings are compared by Jaccard overlap,
    with normal as a finding of its own and wider codes counted along (bacterial pneumonia also as pneumonia).
    """
    wanted = {finding.code for finding in request.findings} or {NORMAL}
    shared = lru_cache(maxsize=None)(lambda findings: overlap(wanted, findings))  # a library has few combinations
    groups: dict[tuple[bool, float], list[RealImage]] = {}
    for image in images:
        if image.modality in (request.modality.value, ""):
            groups.setdefault((image.modality == "", -shared(image.findings)), []).append(image)
    best: list[RealImage] = []
    for rank in sorted(groups):  # only the groups that are needed are sorted: a library may hold 50,000 images
        best += nsmallest(k - len(best), groups[rank], key=lambda image: _distance(image, request))
    return best


def overlap(first: Collection[str], second: Collection[str]) -> float:
    """Jaccard overlap in [0, 1] of two sets of finding codes, each with its wider codes."""
    a, b = _widened(first), _widened(second)
    return len(a & b) / len(a | b) if a | b else 0.0


def _widened(codes: Collection[str]) -> set[str]:
    wide = set(codes)
    for code in codes:
        while code in _BROADER:
            code = _BROADER[code]
            wide.add(code)
    return wide


def _distance(image: RealImage, request: GenerationRequest) -> tuple[int, int, int, int, str]:
    """Of images of the same modality and overlap."""
    age = 0
    if request.age is not None:
        age = _UNKNOWN_AGE if image.age is None else abs(image.age - request.age)
    return (
        _mismatch(image.view, request.view),
        age // _AGE_STEP,
        _mismatch(image.sex, request.sex),
        age,
        image.id,
    )


def _mismatch(given: str | None, wanted: str | None) -> int:
    """0 for the same or nothing wanted, 1 for unknown, 2 for another."""
    if wanted is None or given == wanted:
        return 0
    return 1 if given is None else 2

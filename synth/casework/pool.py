"""Which cases there are to be read: approved synthetic ones with their requests' truth, real ones with their labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from synth.casework.drawing import lesion_area
from synth.casework.starter import STARTER_ID
from synth.errors import StoreError
from synth.findings import VOCABULARY
from synth.governance.release import Use
from synth.library.folders import Library
from synth.library.labels import NORMAL
from synth.reading.answers import Change, Direction, Task
from synth.reading.cases import Case, CaseSet, Entry
from synth.reading.items import Truth, opaque_id
from synth.store import Store
from synth.types import Finding, GeneratedImage, RealImage, Severity

ALONE = (Task.REAL_OR_SYNTHETIC, Task.FINDINGS, Task.WHERE, Task.REPORT)  # tasks on one picture
BLIND = ("DX",)  # modalities that can be asked for what is real: blind slices are still told apart, AUC 0.65
RANKS = {severity: rank for rank, severity in enumerate(Severity, start=1)}
MODALITIES = ("DX", "CT")  # that are read


def shipped(sets: Iterable[CaseSet]) -> list[CaseSet]:
    """The starter set, where it is there."""
    return [made for made in sets if made.id == STARTER_ID]


def of_set(store: Store, case_set: CaseSet, library: Library) -> list[Case]:
    """The approved cases of a set, in order: each entry, then the pairs and series that they make.

    Of the shipped set the images before their lesions are normals too; of another set only what was approved is read.
    A case whose image is gone, or may not be used in case sets, is left out.
    """
    real = {image.id: image for image in library.images}
    releases = store.validation.releases(name for entry in case_set.approved for name in (entry.job, entry.base_job))
    barred = {name for name, release in releases.items() if not release.allows(Use.SETS)}
    cases: list[Case] = []
    drawn: list[tuple[Entry, GeneratedImage]] = []
    for entry in case_set.approved:
        if entry.real:
            cases += [_real(real[entry.real], entry)] if entry.real in real else []
            continue
        if barred & {entry.job, entry.base_job}:
            continue
        try:
            image = store.image(entry.job)
        except StoreError:
            continue
        drawn.append((entry, image))
        cases.append(_synthetic(entry, image))
    befores = _befores(drawn, cases) if case_set.id == STARTER_ID else []
    return [*cases, *befores, *_pairs(drawn), *_series(drawn)]


def of_library(library: Library) -> list[Case]:
    """The real films and slices, each for the tasks that its labels can answer."""
    cases = (_real(image) for image in library.images if image.modality in MODALITIES)
    return [case for case in cases if case.tasks]


def options(cases: Iterable[Case], modality: str) -> tuple[str, ...]:
    """The finding codes that are offered for a modality: those of all cases, so that the list tells nothing of one."""
    return tuple(sorted({code for case in cases if case.modality == modality for code in case.truth.named}))


def _labelled(image: RealImage) -> bool:
    """True where the labels say what the image shows; those of a slice are of the patient, not of the slice."""
    known = image.findings == (NORMAL,) or all(code in VOCABULARY for code in image.findings)
    return bool(image.findings) and known and image.modality == "DX"


def _real(image: RealImage, entry: Entry | None = None) -> Case:
    """Labels say what is seen and not where; a report is not asked for, as labels are seldom complete."""
    findings = tuple(Finding(code) for code in image.findings if code != NORMAL)
    labelled = _labelled(image)
    tasks = tuple(task for task in ALONE[:2] if labelled or task is ALONE[0])
    words = (entry.history, entry.teaching) if entry else ("", "")
    truth = Truth(findings if labelled else (), synthetic=False)
    modality = image.modality
    name, sources = opaque_id("case", image.id), (f"real:{image.id}",)
    return Case(name, sources, truth, _blind(tasks, modality), image.id, modality, *words)


def _synthetic(entry: Entry, image: GeneratedImage) -> Case:
    assert entry.recipe is not None
    truth = Truth(entry.recipe.findings, synthetic=True, area=lesion_area(entry.recipe, image.pixels))
    tasks = ALONE if truth.placed or truth.normal else tuple(task for task in ALONE if task is not Task.WHERE)
    same, modality = entry.base_job or entry.job, image.request.modality.value
    sources = (f"synthetic:{entry.job}",)
    words = (entry.history, entry.teaching)
    return Case(opaque_id("case", entry.id), sources, truth, _blind(tasks, modality), same, modality, *words)


def _blind(tasks: tuple[Task, ...], modality: str) -> tuple[Task, ...]:
    """The tasks without "real or synthetic" where blind pictures of the modality still tell."""
    return tuple(task for task in tasks if modality in BLIND or task is not Task.REAL_OR_SYNTHETIC)


def _befores(drawn: Sequence[tuple[Entry, GeneratedImage]], cases: Sequence[Case]) -> list[Case]:
    """The images into which a lesion was drawn, as normals of their own."""
    there = {source for case in cases for source in case.sources}
    befores: dict[str, Case] = {}
    for entry, image in drawn:
        source = f"synthetic:{entry.base_job}"
        if not entry.base_job or source in there or entry.recipe is None or entry.recipe.request.findings:
            continue
        truth = Truth((), synthetic=True, area=np.zeros(image.pixels.shape, bool))
        name, modality = opaque_id("before", entry.base_job), image.request.modality.value
        tasks = _blind(ALONE, modality)
        befores.setdefault(entry.base_job, Case(name, (source,), truth, tasks, entry.base_job, modality))
    return list(befores.values())


def _pairs(drawn: Sequence[tuple[Entry, GeneratedImage]]) -> list[Case]:
    """Before and after, in both directions: what appears on the way there resolves on the way back."""
    pairs = []
    for entry, image in drawn:
        if not entry.base_job or entry.recipe is None or entry.recipe.finding is None:
            continue
        both = (f"synthetic:{entry.base_job}", f"synthetic:{entry.job}")
        code, modality = entry.recipe.finding.code, image.request.modality.value
        for sources, direction in ((both, Direction.APPEARED), (both[::-1], Direction.RESOLVED)):
            truth = Truth(synthetic=True, changes=(Change(code, direction),))
            name = opaque_id("pair", entry.id, direction)
            pairs.append(Case(name, sources, truth, (Task.CHANGE,), entry.base_job, modality, "", entry.teaching))
    return pairs


def _series(drawn: Sequence[tuple[Entry, GeneratedImage]]) -> list[Case]:
    """One finding in two or three severities on one base image, in an order that tells nothing."""
    groups: dict[tuple[str, str], dict[Severity, tuple[Entry, GeneratedImage]]] = {}
    for entry, image in drawn:
        finding = entry.recipe.finding if entry.recipe else None
        if entry.base_job and finding and finding.severity:
            groups.setdefault((entry.base_job, finding.code), {}).setdefault(finding.severity, (entry, image))
    series = []
    for (base, code), stages in groups.items():
        if len(stages) < 2:
            continue
        shuffled = sorted(stages, key=lambda severity: opaque_id("series", stages[severity][0].id))
        truth = Truth((Finding(code),), True, severities=tuple(RANKS[severity] for severity in shuffled))
        sources = tuple(f"synthetic:{stages[severity][0].job}" for severity in shuffled)
        modality = next(iter(stages.values()))[1].request.modality.value
        series.append(Case(opaque_id("series", base, code), sources, truth, (Task.SEVERITY,), base, modality))
    return series

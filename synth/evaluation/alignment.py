"""Is what was asked for there? The readers, calibrated on real pictures, read what the model draws.

The figures, their protocol and what they must reach: `measure` -> a dict for the result file, `failures` -> what is
missed, `table` -> Markdown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.evaluation import reading
from synth.evaluation.drawing import draw
from synth.evaluation.drawn import Drawn, Normal, draw_all, normals, severities_grow
from synth.models.readers import Readers
from synth.models.shipped import ShippedModel
from synth.training.bank import make_bank
from synth.training.data import Collection
from synth.training.reader_targets import Targets
from synth.training.readers import nodule_crops, simulated, whole_slices
from synth.types import Finding, GenerationRequest, Modality, Sex, View

GOALS = {"auroc": 0.85, "dice": 0.5, "hit_rate": 0.7, "brightened": 0.75}
TRUSTED = 0.5  # of real lesions: a reader that hits fewer of them judges nobody, and its figure is only stated
# Finding drawn -> code of the classifier whose map is asked for it. Nodules and masses are opacities of the lung; its
# own map of nodules points at too few real ones to judge anybody.
READ_BY = {
    "consolidation": "lung_opacity",
    "infiltration": "lung_opacity",
    "ground_glass_opacity": "lung_opacity",
    "nodule": "lung_opacity",
    "mass": "lung_opacity",
}
OUTLINED_BY = {"ground_glass_opacity": "opacity-ct", "consolidation": "opacity-ct", "nodule": "nodule-ct"}
CROP_PX = 64  # of a whole slice of 256: what the magnified crops of the training show of theirs
HELD_OUT = 160  # simulated lesions on pictures of the val split, to calibrate what has learnt from simulated ones
_SHIFT_PX = 12  # at most, of the crop around a drawn nodule, so that its middle is no answer

PerFinding = dict[str, dict[str, Any]]  # finding -> figure -> value


@dataclass(frozen=True, slots=True)
class Asked:
    """One finding typed against normal, within one origin."""

    name: str
    finding: Finding
    read_by: str
    origin: str
    modality: Modality = Modality.DX
    child: bool = False


TYPED = (
    Asked("effusion, adult film", Finding("pleural_effusion"), "pleural_effusion", "nih"),
    Asked("pneumonia, adult film", Finding("pneumonia"), "lung_opacity", "nih"),
    Asked("pneumonia, child's film", Finding("bacterial_pneumonia"), "lung_opacity", "kermany", child=True),
    Asked("COVID-19, CT slice", Finding("covid_19"), "covid_19", "sarsct", Modality.CT),
)


def typed(model: ShippedModel, readers: Readers, count: int) -> PerFinding:
    """name -> AUROC of `count` pictures with the finding against `count` without: same seeds, patients and origin."""
    figures = {}
    for asked in TYPED:
        ill = [_request(model, asked, k, (asked.finding,)) for k in range(count)]
        well = [replace(request, findings=()) for request in ill]
        there, absent = (draw(model.of_origin(asked.origin), requests) for requests in (ill, well))
        k = readers.codes.index(asked.read_by)
        a, b = (readers.read(reading.as_planes(pictures)).logits[:, k].numpy() for pictures in (there, absent))
        figures[asked.name] = asdict(reading.auroc(a, b))
        if asked.origin == "nih":
            figures[asked.name] |= _persons(readers, np.concatenate((there, absent)), ill + well)
    return figures


def _request(model: ShippedModel, asked: Asked, number: int, findings: tuple[Finding, ...]) -> GenerationRequest:
    """Ages 20 to 84 and both sexes in turn; children are 3 years old."""
    if asked.modality == Modality.CT:
        return GenerationRequest(Modality.CT, View.AXIAL, findings=findings, seed=number, model_id=model.card.id)
    view, age = (View.AP, 3) if asked.child else (View.PA, 20 + (number * 13) % 65)
    sex = None if asked.child else (Sex.MALE, Sex.FEMALE)[number % 2]
    return GenerationRequest(Modality.DX, view, sex, age, findings, seed=number, model_id=model.card.id)


def _persons(readers: Readers, pictures: npt.NDArray[np.uint8], asked: list[GenerationRequest]) -> dict[str, float]:
    found = readers.read(reading.as_planes(pictures))
    male = np.array([request.sex is Sex.MALE for request in asked])
    ages = np.array([request.age for request in asked], float)
    return {
        "sex_accuracy": float(((found.male.numpy() > 0) == male).mean()),
        "age_error": float(np.abs(100 * found.age.numpy() - ages).mean()),
    }


def drawn_on_films(model: ShippedModel, readers: Readers, films: list[Normal], count: int) -> PerFinding:
    """finding -> hit rate and box IoU of the classifier's map; Dice of the segmenter of simulated lesions, apart."""
    figures = {}
    for code in ("consolidation", "infiltration", "nodule", "mass"):
        drawn = draw_all(model, films, code, count)
        k = readers.codes.index(READ_BY[code])
        after, before = (readers.read(reading.as_planes(p)).maps[:, k].numpy() for p in (drawn.after, drawn.before))
        apart = reading.outlined(readers, "simulated-dx", drawn.after)
        figures[code] = {
            **asdict(reading.pointing(after - before, drawn.areas)),  # where the evidence rose most
            "hit_rate_after": reading.pointing(after, drawn.areas).hit_rate,
            "simulated_dice": reading.overlap(apart, drawn.areas).dice,
            **facts(drawn),
        }
    return figures


def effusion_drawn(model: ShippedModel, readers: Readers, films: list[Normal], count: int) -> dict[str, Any]:
    """Effusions drawn over the base of one lung: AUROC of after against before, and the most that leaked."""
    drawn = draw_all(model, films, "pleural_effusion", count)
    k = readers.codes.index("pleural_effusion")
    after, before = (readers.read(reading.as_planes(p)).logits[:, k].numpy() for p in (drawn.after, drawn.before))
    return {**asdict(reading.auroc(after, before)), **facts(drawn)}


def drawn_on_slices(model: ShippedModel, readers: Readers, slices: list[Normal], count: int) -> PerFinding:
    """finding -> Dice and hit rate by a segmenter of real masks where there is one; of simulated lesions, apart."""
    figures: PerFinding = {}
    for code in OUTLINED_BY:
        drawn = draw_all(model, slices, code, count)
        figures[code] = facts(drawn)
        if code == "nodule":
            crops, areas = _crops(drawn)
            figures[code] |= asdict(reading.overlap(reading.outlined(readers, OUTLINED_BY[code], crops), areas))
        else:
            before, after = (reading.outlined(readers, OUTLINED_BY[code], p) for p in (drawn.before, drawn.after))
            figures[code] |= asdict(reading.overlap(after, drawn.areas))
            figures[code]["outlined_before"] = float(before[drawn.areas].mean())
        apart = reading.outlined(readers, "simulated-ct", drawn.after)
        figures[code]["simulated_dice"] = reading.overlap(apart, drawn.areas).dice
    return figures


def facts(drawn: Drawn) -> dict[str, Any]:
    """Grey levels that leaked and changed, and the share of the lesion that became brighter, as every opacity must.

    A segmenter takes noise for a lesion too; noise brightens half of its pixels.
    """
    change = drawn.after.astype(float) - drawn.before
    inside = change[drawn.areas]
    return {
        "edits": len(drawn.after),
        "leaked": drawn.leaked,
        "mean_change": float(inside.mean()),
        "brightened": float((inside > 0).mean()),
    }


def _crops(drawn: Drawn) -> tuple[npt.NDArray[np.uint8], reading.Areas]:
    """The surroundings of every drawn lesion, (N, 64, 64), off its middle, as the nodule segmenter has learnt them."""
    rng = np.random.default_rng(0)
    pictures, areas = [], []
    for after, area in zip(drawn.after, drawn.areas, strict=True):
        middle = np.argwhere(area).mean(0) + rng.uniform(-_SHIFT_PX, _SHIFT_PX, 2)
        top, left = (int(np.clip(m - CROP_PX / 2, 0, len(area) - CROP_PX)) for m in middle)
        window = slice(top, top + CROP_PX), slice(left, left + CROP_PX)
        pictures.append(after[window])
        areas.append(area[window])
    return np.stack(pictures), np.stack(areas)


def severity(model: ShippedModel, films: list[Normal], slices: list[Normal], count: int) -> dict[str, float]:
    """Share of steps from mild to severe that change the lesion further, same place and seed."""
    return {
        "consolidation, film": severities_grow(model, films, "consolidation", count),
        "ground_glass_opacity, CT": severities_grow(model, slices, "ground_glass_opacity", count),
    }


def failures(result: dict[str, Any]) -> list[str]:
    """What a result misses of the goals, one sentence each; empty when the model's control is good enough."""
    missed = []
    for name, figures in result["typed"].items():
        if figures["value"] < GOALS["auroc"]:
            missed.append(f"{name}: AUROC {figures['value']:.2f} is below {GOALS['auroc']}.")
    for code, figures in result["slices"].items():
        if figures.get("dice", 1.0) < GOALS["dice"]:
            missed.append(f"{code} drawn on CT: Dice {figures['dice']:.2f} is below {GOALS['dice']}.")
    real = result["real"]["pointing"]
    for code, figures in result["films"].items():
        judged = real.get(READ_BY[code], {"hit_rate": 0.0})["hit_rate"] >= TRUSTED
        if judged and figures["hit_rate"] < GOALS["hit_rate"]:
            missed.append(f"{code} drawn on films: hit rate {figures['hit_rate']:.2f} is below {GOALS['hit_rate']}.")
    drawn = {**result["films"], **result["slices"], "pleural_effusion": result["effusion_drawn"]}
    for code, figures in drawn.items():
        if figures.get("brightened", 1.0) < GOALS["brightened"]:
            missed.append(f"{code}: only {figures['brightened']:.0%} of the drawn area is brighter.")
    missed += [f"{code}: {f['leaked']} grey levels leaked." for code, f in drawn.items() if f["leaked"]]
    return missed


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pictures each part draws."""

    typed: int = 40
    films: int = 50
    slices: int = 200
    severity: int = 10

    @classmethod
    def of(cls, count: int | None) -> Counts:
        """The default counts, or `count` everywhere, for a quick look."""
        return cls() if count is None else cls(count, count, count, count)


PROTOCOL = {
    "readers": "trained on real pictures of the train split; thresholds 0.5; calibrated on the test split",
    "typed": "the finding against normal: same seeds, ages, sexes and origin; 20 steps, guidance 2, DDPM",
    "drawn": "random wobbly ellipses in the lungs of unseen normal pictures (test and val), margin 8 px, guidance 1.3, "
    "small ones in a close-up (films: guidance 1, nodules on CT: 2); "
    "hit_rate: the peak of what the classifier's map gained; hit_rate_after: the peak of its map after the edit",
    "simulated_dice": "by a segmenter that has learnt from simulated lesions, quoted apart",
    "resolution_px": 256,
}


def calibration(readers: Readers, data: Collection) -> dict[str, Any]:
    """The readers on the real pictures of the test split; simulated lesions on those of val, apart."""
    targets = Targets.of(data, "test")
    bank = make_bank(data, "val", HELD_OUT, seed=1)
    return {
        "auroc": {name: asdict(figure) for name, figure in reading.real_aurocs(readers, data, targets).items()},
        "person": reading.real_person(readers, targets),
        "pointing": {code: asdict(figure) for code, figure in reading.real_pointing(readers, targets).items()},
        "overlap": {
            "opacity-ct": asdict(reading.real_overlap(readers, "opacity-ct", whole_slices(data, "test"))),
            "nodule-ct": asdict(reading.real_overlap(readers, "nodule-ct", nodule_crops(data, "test"))),
        },
        "simulated": {
            name: asdict(reading.real_overlap(readers, name, simulated(bank, data, modality)))
            for name, modality in (("simulated-dx", "DX"), ("simulated-ct", "CT"))
        },
    }


def measure(model: ShippedModel, readers: Readers, data: Collection, counts: Counts) -> dict[str, Any]:
    """Every figure of control; films and slices are of patients that no training has seen."""
    films = normals(data, ("test", "val"), Modality.DX)
    slices = normals(data, ("test", "val"), Modality.CT)
    return {
        "counts": asdict(counts) | {"normal_films": len(films), "normal_slices": len(slices)},
        "real": calibration(readers, data),
        "typed": typed(model, readers, counts.typed),
        "films": drawn_on_films(model, readers, films, counts.films),
        "effusion_drawn": effusion_drawn(model, readers, films, counts.films),
        "slices": drawn_on_slices(model, readers, slices, counts.slices),
        "severity": severity(model, films, slices, counts.severity),
    }

"""Labels to a training caption: the canonical wording or a paraphrase, with attributes dropped at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth.captions import Labels, caption, finding_words
from synth.types import Finding

DROP_ATTRIBUTE = 0.15
DROP_ORIGIN = 0.3
DROP_ALL = 0.1
PARAPHRASE = 0.4
AGE_JITTER = 2  # years
# what a normal film may truly be said not to show
ABSENT = ("pleural_effusion", "pneumothorax", "pneumonia", "consolidation", "cardiomegaly", "nodule", "edema", "mass")
_FILM = ("chest x ray", "chest radiograph", "chest film", "frontal chest x ray", "cxr")
_SLICE = ("chest ct", "chest ct slice", "axial chest ct", "ct of the chest in lung window")
_NORMAL = ("no finding", "normal", "clear lungs", "no acute finding", "unremarkable")


def write(labels: Labels, rng: np.random.Generator) -> str:
    """A caption of these labels; "" in a tenth of the cases, for guidance."""
    if rng.random() < DROP_ALL:
        return ""
    seen = _dropped(labels, rng)
    normal = seen.findings == ()
    absent = tuple(rng.choice(ABSENT, rng.integers(1, 4), replace=False)) if normal and rng.random() < 0.3 else ()
    text = caption(replace(seen, absent=absent))
    if seen.extra:
        text = f"{seen.extra}, {text}"
    return _paraphrase(text, rng) if rng.random() < PARAPHRASE else text


def _dropped(labels: Labels, rng: np.random.Generator) -> Labels:
    keep = rng.random(4) >= (DROP_ATTRIBUTE, DROP_ATTRIBUTE, DROP_ATTRIBUTE, DROP_ORIGIN)
    age = labels.age
    if age is not None and age > AGE_JITTER + 3:
        age += int(rng.integers(-AGE_JITTER, AGE_JITTER + 1))
    return replace(
        labels,
        view=labels.view if keep[0] else None,
        sex=labels.sex if keep[1] else None,
        age=age if keep[2] else None,
        origin=labels.origin if keep[3] else None,
        findings=None if labels.findings is None else tuple(_vaguer(f, rng) for f in labels.findings),
    )


def _vaguer(finding: Finding, rng: np.random.Generator) -> Finding:
    """Sometimes leave out severity, or call a bacterial or viral pneumonia just pneumonia."""
    code = "pneumonia" if finding.code.endswith("_pneumonia") and rng.random() < 0.4 else finding.code
    return replace(finding, code=code, severity=finding.severity if rng.random() < 0.8 else None)


def _paraphrase(text: str, rng: np.random.Generator) -> str:
    """Other words for film, slice and normal; the parts in another order; "and" for some commas."""
    parts = text.split(", ")
    swap = {"chest x ray": _FILM, "chest ct": _SLICE, "no finding": _NORMAL}
    parts = [str(rng.choice(swap[part])) if part in swap else part for part in parts]
    head = 1 if parts[0].startswith("origin_") else 0
    tail = parts[head:]
    rng.shuffle(tail)
    return ", ".join(parts[:head]) + (", " if head else "") + str(rng.choice((", ", " and ", " with "))).join(tail)


def every_caption(labels: list[Labels], codes: list[str]) -> list[str]:
    """Captions that together hold every word the encoder must know: all paraphrases, ages, sides, severities."""
    texts = [caption(replace(one, absent=ABSENT)) for one in labels]
    texts += [*_FILM, *_SLICE, *_NORMAL, "magnified crop and with patient child boy girl man woman year old view pa ap"]
    texts += [str(age) for age in range(101)]
    texts += [f"no {code.replace('_', ' ')}" for code in codes]
    texts += ["left right bilateral upper middle lower mild moderate severe", finding_words(Finding("cavity"))]
    return texts

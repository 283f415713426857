"""How far the readers agree: percent and kappa over the images that two have judged, for each revision of a model."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from synth.governance.release import Fitness
from synth.governance.reviews import REALISM, Presence, Review, pairs
from synth.reading.agreement import Kappa, cohen_kappa
from synth.ui import resources

Pairs = Sequence[tuple[Review, Review]]
REALISM_NAME = "realism, weighted"


def show() -> None:
    """One row for each measure and revision; one sentence until two readers have judged an image."""
    reviews = resources.store().validation.reviews()
    both = pairs(reviews)
    st.caption(f"{len(reviews)} judgements; {len(both)} images were judged by two independent readers.")
    revisions = sorted({(first.model, first.revision) for first, _ in both})
    found = [
        {"Model": f"{model} {revision}"} | line
        for model, revision in revisions
        for line in lines([pair for pair in both if (pair[0].model, pair[0].revision) == (model, revision)])
    ]
    if found:
        st.dataframe(found, hide_index=True, alt="Agreement of two readers")


def lines(both: Pairs) -> list[dict[str, object]]:
    """The rows of one revision: findings, realism by weighted kappa, and what the images are fit for."""
    presence = list(Presence)
    judged = [one for first, second in both for one in zip(first.judged, second.judged, strict=True)]
    rows = []
    if judged:
        named = [[presence.index(one.present) for one in side] for side in zip(*judged, strict=True)]
        rows.append(("findings there", cohen_kappa(named[0], named[1], len(presence))))
    scores = [[review.realism - REALISM[0] for review in side] for side in zip(*both, strict=True)]
    rows.append((REALISM_NAME, cohen_kappa(scores[0], scores[1], REALISM[1] - REALISM[0] + 1, weighted=True)))
    for fitness in Fitness:
        fit = [[int(fitness in review.fit) for review in side] for side in zip(*both, strict=True)]
        rows.append((f"fit for {fitness}", cohen_kappa(fit[0], fit[1], 2)))
    return [_line(name, kappa) for name, kappa in rows]


def _line(name: str, kappa: Kappa) -> dict[str, object]:
    interval = kappa.interval
    return {
        "Measure": name,
        "Judged twice": kappa.cases,
        "Agreement": f"{kappa.observed:.0%}",
        "Kappa": "" if kappa.value is None else f"{kappa.value:.2f}",
        "95 % interval": "" if interval is None else f"{interval.low:.2f} to {interval.high:.2f}",
    }

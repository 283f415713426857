"""What readers achieved elsewhere when they told real from synthetic: the published figures that stand beside ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats


@dataclass(frozen=True, slots=True)
class Anchor:
    """One published figure: an area under the ROC curve, or a share of right answers; both in [0, 1]."""

    kind: str  # "AUC" or "accuracy"
    value: float
    what: str
    source: str

    @property
    def label(self) -> str:
        """As "AUC 0.54, GAN mammograms"."""
        return f"AUC {self.value:.2f}, {self.what}" if self.kind == "AUC" else f"{self.value:.0%} right, {self.what}"


ANCHORS = (
    Anchor("AUC", 0.54, "GAN mammograms", "4 mammographers; Zakka et al., arXiv 2010.05177, 2020"),
    Anchor("accuracy", 0.70, "RoentGen chest films", "17 radiologists; Tordjman et al., Radiology, March 2026"),
    Anchor("accuracy", 0.75, "GPT-4o films", "17 radiologists; Tordjman et al., Radiology, March 2026"),
    Anchor("accuracy", 0.80, "RoentGen chest films", "16 radiologists; GazeVaLM, arXiv 2604.11653, 2026"),
)

Curve = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]  # FPR (N,), TPR (N,)


def curve(anchor: Anchor) -> Curve:
    """The anchor in the ROC plane, FPR and TPR in [0, 1].

    An area as the binormal curve of equal variances that has it, TPR = Phi(sqrt(2) Phi^-1(AUC) + Phi^-1(FPR)) (Green &
    Swets, Signal Detection Theory and Psychophysics, 1966); an accuracy a as the line TPR = FPR + 2 a - 1 of all
    readers who have it where half of the cases are positive.
    """
    if anchor.kind == "AUC":
        fpr = np.linspace(0.0, 1.0, 101)
        with np.errstate(divide="ignore"):
            return fpr, stats.norm.cdf(np.sqrt(2) * stats.norm.ppf(anchor.value) + stats.norm.ppf(fpr))
    above = 2 * anchor.value - 1
    return np.array([0.0, 1 - above]), np.array([above, 1.0])


def sources() -> str:
    """All anchors with where they come from."""
    told = "; ".join(f"{anchor.label} ({anchor.source})" for anchor in ANCHORS)
    return (
        f"Published figures: {told}. An accuracy is the line of all who have it where half of the cases are positive."
    )

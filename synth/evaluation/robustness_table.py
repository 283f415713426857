"""The figures of the invisible mark as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scipy import stats

CONFIDENCE = 0.95
START, END = "<!-- figures -->", "<!-- end of figures -->"


def interval(successes: int, count: int) -> tuple[float, float]:
    """Clopper and Pearson (1934), two-sided at CONFIDENCE."""
    tail = (1 - CONFIDENCE) / 2
    low = stats.beta.ppf(tail, successes, count - successes + 1) if successes else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, count - successes) if successes < count else 1.0
    return float(low), float(high)


def page(text: str, figures: dict[str, Any], protocol: dict[str, Any], date: str) -> str:
    """The page on the mark with what stands between its two markers replaced by these figures."""
    before, _, after = text.partition(START)
    count, split = protocol["pictures"], protocol["split"]
    told = (
        f"`{protocol['command']} --data DIR --out DIR`, run on {date}: {count} real chest films and {count} real chest "
        f"CT slices (crops around nodules included) of the {split} split, and {count} pictures of the shipped model, "
        "all of 256 x 256 px, each with a key and a payload of its own; fewer where a row says so."
    )
    return f"{before}{START}\n{told}\n\n{whole(figures, protocol)}\n{END}{after.partition(END)[2]}"


def whole(figures: dict[str, Any], protocol: dict[str, Any]) -> str:
    """All tables and sentences of a result file."""
    parts = [robustness(figures["rows"]), thresholds(protocol), null_sentence(figures["nulls"])]
    return "\n\n".join(
        [*parts, quality(figures["quality"]), protection(figures["protected"]), reader(figures["reader"])]
    )


def robustness(rows: Sequence[dict[str, Any]]) -> str:
    """One line an attack: found and read in each group and in all, with the interval of all."""
    groups = list(dict.fromkeys(row["group"] for row in rows))
    heads = [f"{group} found / read" for group in groups]
    lines = [
        " | ".join(["| attack", "parameters", *heads, "all found [95 %]", "all read", "goal |"]),
        "|---" * (5 + len(groups)) + "|",
    ]
    for attack in dict.fromkeys(row["attack"] for row in rows):
        of = [row for row in rows if row["attack"] == attack]
        count, found, read = (sum(row[key] for row in of) for key in ("pictures", "detected", "read"))
        low, high = interval(found, count)
        cells = [f"{row['detected']} / {row['read']} of {row['pictures']}" for row in of]
        rate = f"{found / count:.1%} [{low:.1%}, {high:.1%}]"
        goal = _goal(of[0]["goal"], found / count)
        lines.append(" | ".join([f"| {attack}", of[0]["what"], *cells, rate, f"{read / count:.1%}", f"{goal} |"]))
    return "\n".join(lines)


def _goal(goal: float | None, rate: float) -> str:
    if goal is None:
        return "stated"
    return f"{goal:.0%} reached" if rate >= goal else f"**{goal:.0%} missed**"


def thresholds(protocol: dict[str, Any]) -> str:
    """At which scores the detector says yes."""
    place, aligned, all_ = protocol["thresholds_z"]
    return (
        f"False alarms are bounded at {protocol['false_alarms']:.0e} a picture over the whole search: the score z must "
        f"reach {place} where the picture lies as it left, {aligned} where it was shifted, put on a page or turned by "
        f"quarters, {all_} where it was cropped, scaled in its frame or turned."
    )


def null_sentence(nulls: dict[str, Any]) -> str:
    """What unmarked real pictures gave."""
    return (
        f"Unmarked real pictures so far: {nulls['pictures']}, false alarms {nulls['alarms']} (rate at most "
        f"{nulls['upper']:.2%} with 95 % confidence, Clopper-Pearson), inconclusive {nulls['inconclusive']}, largest z "
        f"{nulls['largest_z']:.2f}."
    )


def quality(groups: dict[str, dict[str, float]]) -> str:
    """PSNR of the marked pictures."""
    lines = ["| group | lowest PSNR | median PSNR |", "|---|---|---|"]
    return "\n".join(lines + [f"| {g} | {v['lowest']:.2f} dB | {v['median']:.2f} dB |" for g, v in groups.items()])


def protection(found: dict[str, float]) -> str:
    """What protecting a lesion does."""
    return (
        f"With a known lesion protected ({found['pictures']} slices): median PSNR inside the lesion "
        f"{found['inside_protected']:.1f} dB, {found['inside_plain']:.1f} dB without; mark found and read in "
        f"{found['found']}."
    )


def reader(found: dict[str, Any]) -> str:
    """What the mark changes in the classifier, beside JPEG 95."""
    lines = ["| finding | mean change by the mark | by JPEG 95 |", "|---|---|---|"]
    marked, jpeg = found["marked"], found["JPEG 95"]
    for code, value in marked["mean_change"].items():
        lines.append(f"| {code} | {value:.4f} | {jpeg['mean_change'][code]:.4f} |")
    lines.append(f"| all | {marked['mean']:.4f} | {jpeg['mean']:.4f} |")
    lines.append(
        f"\nMean absolute change of the classifier's probabilities on {found['pictures']} chest pictures. Over "
        f"{found['aurocs']} pairs of finding and origin the AUROC changes by {marked['mean_auroc_change']:+.4f} on "
        f"average, by {marked['largest_auroc_change']:.4f} at most (JPEG 95: {jpeg['mean_auroc_change']:+.4f} and "
        f"{jpeg['largest_auroc_change']:.4f})."
    )
    return "\n".join(lines)

"""The figures of control as Markdown: real pictures first, as nothing is read better than the readers read them."""

from __future__ import annotations

from typing import Any


def real(figures: dict[str, Any]) -> str:
    """The readers on real, unseen pictures."""
    lines = ["| real pictures, test split | figure | n |", "|---|---|---|"]
    for name, f in figures["auroc"].items():
        value = f"AUROC {f['value']:.2f} ({f['low']:.2f}-{f['high']:.2f})"
        lines.append(f"| {name} | {value} | {f['positives']} + {f['negatives']} |")
    person = figures["person"]
    told = f"right {person['sex_accuracy']:.0%}, off by {person['age_error']:.1f} years"
    lines.append(f"| sex and age of adults | {told} | {person['films']} |")
    for code, f in figures["pointing"].items():
        lines.append(f"| {code}: where | {_pointing(f)} | {f['count']} |")
    for name, f in {**figures["overlap"], **figures["simulated"]}.items():
        lines.append(f"| segmenter {name} | Dice {f['dice']:.2f}, hit {f['hit_rate']:.0%} | {f['count']} |")
    return "\n".join(lines)


def whole(figures: dict[str, Any]) -> str:
    """Real and generated pictures, one table each."""
    head = ["| typed, one origin | AUROC | n | sex right, age off by |", "|---|---|---|---|"]
    lines = [real(figures["real"]), "", *head]
    for name, f in figures["typed"].items():
        person = f"{f['sex_accuracy']:.0%}, {f['age_error']:.1f} years" if "sex_accuracy" in f else "-"
        value = f"{f['value']:.2f} ({f['low']:.2f}-{f['high']:.2f})"
        lines.append(f"| {name} | {value} | {f['positives']} + {f['negatives']} | {person} |")
    lines += ["", "| drawn | read | simulated reader, apart | change inside | leaked | n |", "|" + "---|" * 6]
    for code, f in figures["films"].items():
        lines.append(f"| {code}, film | {_pointing(f)} | {_apart(f)} |")
    f = figures["effusion_drawn"]
    lines.append(f"| pleural_effusion, film | AUROC {f['value']:.2f} against before | {_apart(f)} |")
    for code, f in figures["slices"].items():
        read = f"Dice {f['dice']:.2f}, hit {f['hit_rate']:.0%}" if "dice" in f else "-"
        lines.append(f"| {code}, CT | {read} | {_apart(f)} |")
    steps = ", ".join(f"{name} {share:.0%}" for name, share in figures["severity"].items())
    return "\n".join([*lines, "", f"Severity, steps that grow with it: {steps}."])


def _pointing(f: dict[str, Any]) -> str:
    return f"peak inside {f['hit_rate']:.0%} (chance {f['by_chance']:.0%}), box IoU {f['box_iou']:.2f}"


def _apart(f: dict[str, Any]) -> str:
    dice = f"Dice {f['simulated_dice']:.2f}" if "simulated_dice" in f else "-"
    return f"{dice} | {f['mean_change']:+.1f} | {f['leaked']} | {f['edits']}"

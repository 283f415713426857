"""False alarms of the invisible mark on unmarked real pictures: a line for each; a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from synth.errors import RequestError
from synth.provenance import watermark
from synth.provenance.watermark import State

FILE = "nulls.jsonl"
CONFIDENCE = 0.95
SAY_EVERY = 500


@dataclass(frozen=True, slots=True)
class Bound:
    """Alarms among `pictures` unmarked ones, the upper end of their rate, and the strongest answers."""

    pictures: int
    alarms: int
    inconclusive: int
    upper: float  # of a one-sided interval of Clopper and Pearson (1934) at CONFIDENCE
    largest_z: float
    lowest_log10_p: float


def run(pictures: Iterable[tuple[str, npt.NDArray[np.uint8]]], count: int, out: Path) -> Bound:
    """Look for the mark in the first `count` pictures with the whole search; those that `out` names are not repeated.

    Each picture gets a key of its own, for the detector's bound is one over the draw of the key. Raises RequestError
    where `out` was written by another version of the detector.
    """
    out.mkdir(parents=True, exist_ok=True)
    done = {row["id"] for row in rows(out)}
    _without_half_line(out / FILE)
    with (out / FILE).open("a", encoding="utf-8") as lines:
        for number, (name, pixels) in enumerate(pictures, 1):
            if name not in done:
                found = watermark.detect(pixels, key(name))
                row = {"id": name, "z": round(found.score, 4), "log10_p": round(found.log10_p, 4), "state": found.state}
                lines.write(json.dumps(row | {"detector": watermark.DETECTOR}) + "\n")
                lines.flush()
            if number % SAY_EVERY == 0:
                print(f"{number} of {count}", flush=True)
            if number == count:
                break
    return bound(out)


def key(name: str) -> bytes:
    """The key of a picture, drawn from its id."""
    return hashlib.sha256(b"synthread null " + name.encode()).digest()


def rows(out: Path) -> list[dict[str, str | float]]:
    """What was found so far. Raises RequestError for lines of another version of the detector."""
    path = out / FILE
    if not path.is_file():
        return []
    whole = path.read_text(encoding="utf-8")
    found = [json.loads(line) for line in whole[: whole.rfind("\n") + 1].splitlines()]
    if {row["detector"] for row in found} - {watermark.DETECTOR}:
        raise RequestError(f"{path} comes from another version of the detector; name another folder as --out.")
    return found


def _without_half_line(path: Path) -> None:
    """What a killed run leaves at the end goes."""
    if path.is_file() and not (whole := path.read_text(encoding="utf-8")).endswith("\n"):
        path.write_text(whole[: whole.rfind("\n") + 1], encoding="utf-8")


def bound(out: Path) -> Bound:
    """The figures of what was found so far."""
    found = rows(out)
    states = [row["state"] for row in found]
    alarms, count = states.count(State.DETECTED), len(found)
    return Bound(
        count,
        alarms,
        states.count(State.INCONCLUSIVE),
        upper(alarms, count),
        max((float(row["z"]) for row in found), default=0.0),
        min((float(row["log10_p"]) for row in found), default=0.0),
    )


def upper(alarms: int, count: int) -> float:
    """The rate above which so few alarms among so many would be seen in less than 5 % of all runs."""
    return 1.0 if alarms == count else float(stats.beta.ppf(CONFIDENCE, alarms + 1, count - alarms))


def sentence(found: Bound) -> str:
    """The figures in one line."""
    return (
        f"{found.alarms} false alarms among {found.pictures} unmarked real pictures (at most {found.upper:.2e} with "
        f"{CONFIDENCE:.0%} confidence), {found.inconclusive} inconclusive; largest z {found.largest_z:.2f}, "
        f"lowest bound 10^{found.lowest_log10_p:.2f}"
    )

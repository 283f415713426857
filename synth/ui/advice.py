"""What the table of results recommends for a kind of damage, and how long a restoration will take."""

from __future__ import annotations

from typing import Any

from synth import baselines, results
from synth.diffusion import tiles
from synth.ui import resources, session

SECONDS_A_TILE = 8.0  # of 25 steps on two cores, until this computer has restored something
STEPS = 25
LATEST = 40  # images among which the last restored one is looked for


def groups() -> list[str]:
    """Modality and body part of the measured groups, "MG breast"."""
    from synth.diffusion.greys import GREYS

    return sorted({*GREYS, *(row["group"] for row in _rows())})


def recommended(kind: str, group: str) -> tuple[bool, str]:
    """Whether Restore itself is recommended, and why, in one or two sentences."""
    rows = [row for row in _rows() if row["kind"] == kind]
    if not rows:
        return True, "Not measured yet on this kind of damage; compare with the classical method beside it."
    own = [row for row in rows if row["group"] == group]
    used = own or rows
    mine, other = (sum(row[who]["psnr"] for row in used) / len(used) for who in ("restored", "baseline"))
    count = sum(row["pictures"] for row in used)
    name = baselines.NAMES[kind]
    of = f"{group} pictures" if own else "pictures of other groups"
    wins = [row["better"] == "restored" for row in used]
    better = sum(wins) * 2 > len(wins)
    measured = f"On {count} unseen {of}: Restore {mine:.1f} dB, {name} {other:.1f} dB."
    return better, measured + (" Restore is recommended." if better else f" Recommended: {name}, shown beside.")


def seconds_a_tile() -> float:
    """Wall time of one tile of the last restored image on this computer, else SECONDS_A_TILE."""
    store = resources.store()
    for entry in store.history(LATEST, user=session.user()):
        edit = entry.request.edit
        if edit is not None and edit.restoration is not None:
            image = store.image(entry.id)
            base = store.picture(edit.base)
            count = tiles.count(base.shape[0], base.shape[1], edit.restoration.kind)
            return image.provenance.seconds / count * STEPS / entry.request.steps
    return SECONDS_A_TILE


def expected(height: int, width: int, kind: str, steps: int) -> str:
    """How long it will take, as "4 tiles, about 30 s"."""
    count = tiles.count(height, width, kind)
    seconds = count * seconds_a_tile() * steps / STEPS
    time = f"{max(1, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} min"
    return f"{count} {'tile' if count == 1 else 'tiles'}, about {time}."


def _rows() -> list[dict[str, Any]]:
    """The rows of `python -m synth.evaluation restore`; none where it was not run."""
    return list(results.load("restoration").get("rows", ()))

"""One training run: its budget, its log, and checkpoints that lose at most a minute and resume exactly."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synth.training.team import Team

SAVE_EVERY_S = 50.0
ALONE = Team()


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: minutes of wall time, or an exact number of steps (tests, comparisons)."""

    minutes: float | None = None
    steps: int | None = None

    def progress(self, step: int, elapsed_s: float) -> float:
        """Share of the budget that is used, in [0, 1]."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        return min(1.0, elapsed_s / (60.0 * (self.minutes or 1e-9)))


class Run:
    """Folder of one run: `checkpoint.pt`, `log.jsonl`, sheets. Time already used counts after a resume.

    Of a team of processes only the leader saves and reports.
    """

    def __init__(self, folder: Path, budget: Budget, seed: int = 0, team: Team = ALONE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.budget = budget
        self.seed = seed
        self.team = team
        self.step = 0
        self._used_s = 0.0
        self._started = time.monotonic()
        self._saved = self._started
        self._mark = (self._started, 0)

    @property
    def elapsed_s(self) -> float:
        """Seconds of training, over all pieces of this run."""
        return self._used_s + time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """Share of the budget that is used, in [0, 1]."""
        return self.budget.progress(self.step, self.elapsed_s)

    def random(self) -> np.random.Generator:
        """The generator of this step: a function of seed and step alone, so that a resumed run draws the same."""
        torch.manual_seed((self.seed << 32) + self.step)
        return np.random.default_rng((self.seed, self.step))

    def resume(self) -> dict[str, Any] | None:
        """State of the last checkpoint, or None when the folder holds none."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.step = state["step"]
        self._used_s = state["elapsed_s"]
        self._started = time.monotonic()
        self._mark = (self._started, self.step)
        return state

    def save_if_due(self, state: dict[str, Any], *, always: bool = False) -> None:
        """Write a checkpoint when the last one is older than 50 s; the old one stays until the new one is whole."""
        if not self.team.leads or (not always and time.monotonic() - self._saved < SAVE_EVERY_S):
            return
        draft = self.folder / "checkpoint.tmp"
        torch.save({**state, "step": self.step, "elapsed_s": self.elapsed_s}, draft)
        os.replace(draft, self.folder / "checkpoint.pt")
        self._saved = time.monotonic()

    def due(self, every: int) -> bool:
        """True at every `every`-th step, for the leader."""
        return self.team.leads and self.step > 0 and self.step % every == 0

    def log(self, batch: int, **figures: float) -> None:
        """One line of figures with images per second since the last line, printed and kept in log.jsonl."""
        now = time.monotonic()
        since, step = self._mark
        rate = (self.step - step) * batch * self.team.size / max(now - since, 1e-9)
        self._mark = (now, self.step)
        line = {"step": self.step, "minutes": round(self.elapsed_s / 60, 2), "images_per_s": round(rate, 1)}
        line |= {name: round(value, 5) for name, value in figures.items()}
        print(json.dumps(line), flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

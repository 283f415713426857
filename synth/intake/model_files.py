"""Are the files of a model still those that its card names? Hashed in the background: weights can have gigabytes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from synth.models.weights import sha256


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: the sha256 (hex) that the card names and that of the file, empty where it cannot be read."""

    name: str
    expected: str
    actual: str

    @property
    def same(self) -> bool:
        """True where the file is the one of the card."""
        return self.actual == self.expected


class ModelFiles:
    """The checks of one server process. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "model-files")
        self._checks: dict[Path, Future[tuple[Checked, ...]]] = {}

    def check(self, folder: Path, files: Mapping[str, str]) -> None:
        """Begin to compare the files in a folder with the sha256 of each; once at a time."""
        running = self._checks.get(folder)
        if running is None or running.done():
            self._checks[folder] = self._thread.submit(_compared, folder, dict(files))

    def running(self, folder: Path) -> bool:
        """True while the files of a folder are read."""
        return folder in self._checks and not self._checks[folder].done()

    def result(self, folder: Path) -> tuple[Checked, ...] | None:
        """What the last check found; None where there was none or it is not through."""
        check = self._checks.get(folder)
        return check.result() if check is not None and check.done() else None


def _compared(folder: Path, files: Mapping[str, str]) -> tuple[Checked, ...]:
    return tuple(Checked(name, expected, _sha256(folder / name)) for name, expected in sorted(files.items()))


def _sha256(path: Path) -> str:
    try:
        return sha256(path)
    except OSError:
        return ""

"""Series of the open collections on their way into the library: downloaded, resumed after anything, imported."""

from __future__ import annotations

import csv
import shutil
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from synth.dicom.taken import BurntIn, Retain
from synth.errors import BusyError, RequestError, StoreError, SynthError
from synth.intake import arriving
from synth.intake.defaults import Deidentification
from synth.intake.importer import Importer
from synth.intake.orders import Order
from synth.intake.transfers import Line, Transfers
from synth.library.collections import Series
from synth.library.download import Download, Progress
from synth.library.metadata import METADATA
from synth.origins import AuditEvent
from synth.store import Store

PREFIX = "idc-"
KIND = "download"
SERIES_MAX = 5000  # of one download
LOOK_S = 0.2  # between two looks at how far it is and whether it is to stop
COLUMNS = ("file", "origin", "licence", "attribution", "body_part")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A download that no transfer works on: it was stopped, files are missing, or the server ended."""

    name: str  # of its folder
    title: str
    user: str
    begun_at: datetime
    series: int
    files: int  # that are here
    of_files: int
    size_bytes: int
    of_bytes: int


@dataclass(frozen=True, slots=True)
class _Note:
    """What is kept beside the files: enough to go on after a restart."""

    title: str
    user: str
    begun_at: datetime
    rules: Deidentification
    series: tuple[Series, ...]


class Downloads:
    """The downloads of one server process. Every method may be called from any thread."""

    def __init__(
        self, store: Store, importer: Importer, transfers: Transfers, home: Path, endpoint_url: str | None = None
    ) -> None:
        """`endpoint_url` is another S3 server than Amazon's."""
        self._store, self._importer, self._transfers = store, importer, transfers
        self._home, self._endpoint_url = home, endpoint_url
        self._lock = threading.Lock()

    def free_bytes(self) -> int:
        """Free space where downloads arrive. Raises StoreError."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self._home).free
        except OSError as error:
            raise StoreError(f"The free space of {self._home} cannot be read: {error.strerror}.") from error

    def check(self, series: Sequence[Series]) -> None:
        """Raises RequestError for no series or too many, StoreError where there is no room for them."""
        if not 1 <= len(series) <= SERIES_MAX:
            raise RequestError(f"{len(series):,} series are chosen; it must be 1 to {SERIES_MAX:,}.")
        size, free = sum(one.size_bytes for one in series), self.free_bytes()
        if 2 * size > free:  # the files as they arrive, and as the library keeps them
            need = f"{2 * size / 1e9:.1f} GB are needed while they are imported and {free / 1e9:.1f} GB are free"
            raise StoreError(f"The disk is too small: {need}; choose fewer series.")

    def start(self, series: Sequence[Series], title: str, rules: Deidentification, user: str) -> str:
        """Start a download; returns the id of the transfer. Raises as `check`, and BusyError."""
        self.check(series)
        folder = self._importer.arriving(PREFIX)
        note = _Note(title, user, datetime.now(UTC), rules, tuple(series))
        arriving.write_note(folder, _as_json(note))
        return self._begin(folder, note, user)

    def unfinished(self) -> list[Unfinished]:
        """Downloads that can go on, oldest first. Raises StoreError."""
        found = []
        for folder in self._importer.forgotten(PREFIX):
            note = _read(folder)
            if note is None or self._transfer_of(folder.name) is not None:
                continue
            sizes = [path.stat().st_size for path in _files(folder)]
            found.append(
                Unfinished(
                    folder.name,
                    note.title,
                    note.user,
                    note.begun_at,
                    len(note.series),
                    len(sizes),
                    sum(one.instances for one in note.series),
                    sum(sizes),
                    sum(one.size_bytes for one in note.series),
                )
            )
        return sorted(found, key=lambda one: one.begun_at)

    def resume(self, name: str, user: str) -> str:
        """Go on with an unfinished download: what is here is not fetched again. Raises RequestError, BusyError."""
        folder, note = self._known(name)
        return self._begin(folder, note, user)

    def import_arrived(self, name: str, user: str) -> str:
        """Import what is here of an unfinished download and give up the rest; returns the id of the import."""
        folder, note = self._known(name)
        return self._import(folder, note, user)

    def discard(self, name: str, user: str) -> None:
        """Delete an unfinished download."""
        folder, _ = self._known(name)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise StoreError("The download could not be deleted completely; try again.")
        self._note_event(user, "library.download.discard", name, {})

    def _begin(self, folder: Path, note: _Note, user: str) -> str:
        with self._lock:
            if self._transfer_of(folder.name) is not None:
                raise BusyError("This download is under way already.")
            name = self._transfers.start(
                KIND, note.title, user, lambda line: self._work(folder, note, user, line), folder.name
            )
        size = sum(one.size_bytes for one in note.series)
        collections = sorted({one.collection for one in note.series})
        detail = {"series": len(note.series), "bytes": size, "collections": collections}
        self._note_event(user, "library.download", folder.name, detail)
        return name

    def _work(self, folder: Path, note: _Note, user: str, line: Line) -> str:
        download = Download(note.series, folder, self._endpoint_url)
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(download, line, over), name="download-watch", daemon=True)
        watch.start()
        try:
            failed = [fetched.error for fetched in download.files() if fetched.error]
        finally:
            over.set()
            watch.join()
            _tell(download.progress, line)
        for reason in dict.fromkeys(failed):
            line.problem(str(reason))
        if line.stopped():
            return f"Stopped: {download.progress.files:,} files are here; it can go on where it was."
        if failed:
            raise SynthError(f"{len(failed):,} files or series did not arrive; Resume asks for them again.")
        line.arrived(self._import(folder, note, user))
        return f"{download.progress.files:,} files arrived."

    def _import(self, folder: Path, note: _Note, user: str) -> str:
        if not any(_files(folder)):
            raise RequestError("Nothing has arrived yet that could be imported; Resume fetches it.")
        write_metadata(folder, note.series)
        rules = note.rules
        origins = ", ".join(dict.fromkeys(one.title for one in note.series))[:200]
        order = Order(
            folder, note.title, origins, "see each image", "", rules.retain, rules.burnt_in, rules.refuse_faces,
            own_copy=True,
        )  # fmt: skip
        return self._importer.begin(order, user)

    def _transfer_of(self, folder: str) -> str | None:
        """The live transfer that works on a folder."""
        live = (one.id for one in self._transfers.latest(KIND) if one.subject == folder and one.live)
        return next(live, None)

    def _known(self, name: str) -> tuple[Path, _Note]:
        """An unfinished download by its name, which came from a page. Raises RequestError, BusyError."""
        folder = next((path for path in self._importer.forgotten(PREFIX) if path.name == name), None)
        note = _read(folder) if folder is not None else None
        if folder is None or note is None:
            raise RequestError("This download is not there any more; it was imported or discarded.")
        if self._transfer_of(name) is not None:
            raise BusyError("This download is under way; stop it first.")
        return folder, note

    def _note_event(self, user: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        self._store.add_event(AuditEvent(datetime.now(UTC), user, action, subject, "", detail))


def write_metadata(folder: Path, series: Iterable[Series]) -> None:
    """Write whose each file is beside the files, where the importer looks for it. Raises StoreError."""
    of = {one.folder: one for one in series}
    try:
        with open(folder / METADATA, "w", encoding="utf-8", newline="") as lines:
            table = csv.writer(lines)
            table.writerow(COLUMNS)
            for path in _files(folder):
                one = of.get(path.parent.name)
                if one is not None:
                    name = str(PurePosixPath(path.relative_to(folder)))
                    table.writerow((name, one.title, one.licence or "unknown", one.attribution, one.body_part))
    except OSError as error:
        raise StoreError(f"The labels of the download could not be written: {error.strerror}.") from error


def _files(folder: Path) -> list[Path]:
    """The whole files that are here, those of a series together."""
    return sorted(path for path in folder.glob("*/*.dcm"))


def _watch(download: Download, line: Line, over: threading.Event) -> None:
    """Tell how far it is, and hand on a stop, until it is over."""
    while not over.wait(LOOK_S):
        _tell(download.progress, line)
        if line.stopped():
            download.cancel()


def _tell(progress: Progress, line: Line) -> None:
    line.progress(progress.files, progress.of_files)
    line.size(progress.size_bytes + progress.arriving, progress.of_bytes)


def _as_json(note: _Note) -> dict[str, Any]:
    return {
        "title": note.title,
        "user": note.user,
        "begun_at": note.begun_at.isoformat(),
        "retain": sorted(note.rules.retain),
        "burnt_in": note.rules.burnt_in.value,
        "refuse_faces": note.rules.refuse_faces,
        "series": [asdict(one) for one in note.series],
    }


def _read(folder: Path) -> _Note | None:
    """The note of a folder; None where another version wrote it."""
    data = arriving.read_note(folder)
    if data is None:
        return None
    try:
        return _Note(
            data["title"],
            data["user"],
            datetime.fromisoformat(data["begun_at"]),
            Deidentification(
                frozenset(map(Retain, data["retain"])), BurntIn(data["burnt_in"]), bool(data["refuse_faces"])
            ),
            tuple(Series(**one) for one in data["series"]),
        )
    except (KeyError, TypeError, ValueError):
        return None

"""The PACS and the library: ask what is there, fetch it de-identified, send synthetic images where that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synth import keys
from synth.departures import Departures
from synth.dicom.objects import Kind, encode_as, study_of
from synth.dicom.pseudonyms import digest
from synth.errors import BusyError, RequestError, StoreError, SynthError
from synth.governance.policy import may_push
from synth.governance.roles import User
from synth.intake import arriving
from synth.intake.defaults import Deidentification, read_deidentification
from synth.intake.importer import Importer
from synth.intake.inbox import Inbox, recover
from synth.intake.orders import Order
from synth.intake.questions import Question
from synth.intake.transfers import Line, Transfers
from synth.library.pacs import Archive, Network, Node, Outcome, Query, SeriesRow, State, StudyRow, archive, read_network
from synth.library.pacs.listener import Listener
from synth.origins import AuditEvent
from synth.prompts import describe, guard
from synth.store import ImportState, Store
from synth.types import GeneratedImage

FETCHED = "fetch-"
NO_NETWORK = Network()
_OPEN = (ImportState.WAITING, ImportState.RUNNING)


@dataclass(frozen=True, slots=True)
class Wish:
    """A study, or one series of it, to be fetched; `order` says whose it is and under which rules."""

    node: str
    study_uid: str
    series_uid: str | None
    title: str  # without identifiers
    order: Order


@dataclass(frozen=True, slots=True)
class Push:
    """Synthetic images to be sent, as which kind of object, and why."""

    node: str
    images: tuple[str, ...]
    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class Listening:
    """How the listener stands: its name and port where there is one, and the last thing that went wrong."""

    aet: str = ""
    port: int = 0
    running: bool = False
    problem: str = ""


class Archives:
    """The configured PACS. Methods raise ArchiveError, RequestError, PolicyError or StoreError in one sentence."""

    def __init__(self, store: Store, importer: Importer, transfers: Transfers, home: Path, config: Path) -> None:
        self._store, self._importer, self._transfers = store, importer, transfers
        self._home, self._config, self._departures = home, config, Departures(store, home)
        self._listener: Listener | None = None
        self._problem = ""  # why the listener does not listen
        self._inbox = Inbox(importer, self.rules)
        self._fetching: dict[tuple[str, str], str] = {}  # study and series, hashed -> id of the transfer
        self._lock = threading.Lock()

    def network(self) -> Network:
        """What the configuration says now; nothing where there is no such file. Raises RequestError."""
        return read_network(self._config) if self._config.exists() else NO_NETWORK

    def rules(self) -> Deidentification:
        """How files are de-identified where nobody says it. Raises RequestError."""
        return read_deidentification(self._config)

    def open(self, name: str) -> tuple[Node, Archive]:
        """A node, and the archive that answers there."""
        node = self.network().node(name)
        return node, archive(node, self._listener)

    def start(self) -> None:
        """Import what a killed server left, and listen where the configuration says so. Never raises a SynthError."""
        try:
            for folder in self._importer.forgotten(FETCHED):
                recover(self._importer, folder)
            settings = self.network().listener
            if settings is not None and self._listener is None:
                listener = Listener(settings, self._inbox.take)
                listener.start()
                self._listener = listener
                self._inbox.recover()  # the port is ours: no other server uses these folders
            self._problem = ""
        except SynthError as error:
            self._problem = str(error)

    def listening(self) -> Listening:
        """How the listener stands, for the screen. Raises RequestError where the configuration cannot be read."""
        if self._listener is None:
            wanted = self.network().listener
            return Listening(wanted.aet, wanted.port, False, self._problem) if wanted else Listening()
        settings, problem = self._listener.settings, self._inbox.problem or self._listener.last_error or self._problem
        return Listening(settings.aet, self._listener.port, self._listener.running, problem)

    def echo(self, name: str) -> Question[float]:
        """Ask a node whether it is there: seconds that its answer took."""
        return Question(self._once(name).echo)

    def studies(self, name: str, query: Query, user: str) -> Question[tuple[StudyRow, ...]]:
        """Ask a node for studies. Which fields were asked for is noted in the audit trail, never what stood in them."""
        pacs = self._once(name)
        fields = [field for field in query.__slots__ if field != "limit" and getattr(query, field)]
        self._note(user, "pacs.query", name, {"fields": fields})
        return Question(lambda: pacs.find_studies(query))

    def series(self, name: str, study_uid: str) -> Question[tuple[SeriesRow, ...]]:
        """Ask a node for the series of a study."""
        pacs = self._once(name)
        return Question(lambda: pacs.find_series(study_uid))

    def fetch(self, wish: Wish, user: str) -> str:
        """Start fetching; returns the id of the transfer. What the library has is not fetched again."""
        _, pacs = self.open(wish.node)
        key = keys.secret(self._home, keys.PSEUDONYMS)
        study, series = (digest(key, "study", text).hex() for text in (wish.study_uid, wish.series_uid or ""))

        def known(uid: str) -> bool:
            return bool(self._store.holdings.held([digest(key, "original", uid).hex()]))

        def work(line: Line) -> str:
            arrival = _Arrival(self._importer, wish.order, user, line)
            try:
                moved = pacs.retrieve(wish.study_uid, wish.series_uid, known, arrival.keep, line.stopped)
                line.progress(moved.moved + moved.present, moved.expected)
                _tell_failures(line, moved.failed)
                return moved.sentence
            finally:  # what arrived before a failure is not lost
                arrival.end()

        with self._lock:
            if self._is_under_way(study, series):
                raise BusyError("This study is on its way into the library already; wait until it is there.")
            name = self._transfers.start("retrieve", wish.title, user, work)
            self._fetching[(study, series)] = name
        self._note(user, "pacs.fetch", wish.node, {"study": study, "transfer": name})
        return name

    def push(self, push: Push, user: User) -> str:
        """Start sending, when every image may go; returns the id of the transfer. Raises PolicyError."""
        node, pacs = self.open(push.node)
        names = tuple(dict.fromkeys(push.images))
        if not names:
            raise RequestError("No image is chosen; choose one or more synthetic images to send.")
        images = [self._pushed(name) for name in names]
        for image in images:
            may_push(image, self._store.validation.release(image.id), user, node, push.reason, guard)
        files = [self._file(self._departures.proven(image), push.kind) for image in images]
        reason = push.reason.strip()

        def work(line: Line) -> str:
            outcomes: Sequence[Outcome] = [Outcome("", State.FAILED, "The transfer was broken off.")] * len(names)
            try:
                moved = pacs.send(files, line.progress, line.stopped)
                outcomes = moved.outcomes
                _tell_failures(line, moved.failed)
                return moved.sentence
            except SynthError as error:
                outcomes = [Outcome("", State.FAILED, str(error))] * len(names)
                raise
            finally:
                for name, outcome in zip(names, outcomes, strict=True):
                    line.outcome(name, outcome.state.value, outcome.reason)
                    detail = {"node": node.name, "as": push.kind.value, "outcome": outcome.state.value}
                    self._note(user.name, "pacs.push", name, detail, reason)

        asked = {"images": list(names), "as": push.kind.value}  # also when the server is killed on the way
        self._note(user.name, "pacs.push.begin", node.name, asked, reason)
        return self._transfers.start("push", f"{len(images)} to {node.name}", user.name, work)

    def close(self) -> None:
        """Stop listening and import what arrived."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self._inbox.close()

    def _once(self, name: str) -> Archive:
        """The archive of a node that is asked once: a page waits for the answer, and its user can ask again."""
        return archive(replace(self.network().node(name), retries=0), self._listener)

    def _pushed(self, name: str) -> GeneratedImage:
        if name.startswith("real:") or self._store.holdings.holdings([name]):
            raise RequestError("This image is real; only synthetic images may be sent to a PACS.")
        return self._store.image(name)

    def _file(self, image: GeneratedImage, kind: Kind) -> bytes:
        return encode_as(image, describe(image.request), kind, study_of(image, self._root(image)))

    def _root(self, image: GeneratedImage) -> GeneratedImage:
        """The image that a chain of edits began with, as far as the store has it."""
        while image.request.edit and image.request.edit.origin.startswith("synthetic:"):
            try:
                image = self._store.image(image.request.edit.origin.partition(":")[2])
            except StoreError:
                break
        return image

    def _is_under_way(self, study: str, series: str) -> bool:
        """True while the study, or the same part of it, is being fetched or imported."""
        for (other, part), name in list(self._fetching.items()):
            transfer = self._transfers.get(name)
            if transfer is None or not (transfer.live or self._is_open(transfer.import_id)):
                del self._fetching[(other, part)]
        return (study, series) in self._fetching

    def _is_open(self, import_id: str) -> bool:
        return bool(import_id) and self._store.imports.get(import_id).state in _OPEN

    def _note(self, user: str, action: str, subject: str, detail: dict[str, Any], reason: str = "") -> None:
        self._store.add_event(AuditEvent(datetime.now(UTC), user, action, subject, reason, detail))


class _Arrival:
    """What arrives of one study: kept file by file in a folder, imported at the end whatever the end was."""

    def __init__(self, importer: Importer, order: Order, user: str, line: Line) -> None:
        self._importer, self._line, self._count = importer, line, 0
        self._folder = importer.arriving(FETCHED)
        arriving.write_order(self._folder, replace(order, source=self._folder, own_copy=True), user)

    def keep(self, data: bytes) -> None:
        """Keep one file, whole or not at all: a server that is killed imports the whole ones."""
        path = self._folder / f"{self._count:06d}.dcm"
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_bytes(data)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        self._count += 1
        self._line.progress(self._count)

    def end(self) -> None:
        """Import what arrived."""
        if import_id := recover(self._importer, self._folder):
            self._line.arrived(import_id)


def _tell_failures(line: Line, failed: Sequence[Outcome]) -> None:
    """Each reason once, with the number of its files."""
    for reason in dict.fromkeys(outcome.reason for outcome in failed):
        count = sum(outcome.reason == reason for outcome in failed)
        line.problem(f"{count} {'file is' if count == 1 else 'files are'} missing: {reason}")

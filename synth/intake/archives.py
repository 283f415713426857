"""The PACS and the library: fetch a study de-identified, send synthetic images where that is allowed, be sent to."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from synth.dicom.objects import Kind, encode_as, study_of
from synth.dicom.pseudonyms import digest
from synth.errors import RequestError, StoreError
from synth.governance.policy import may_push
from synth.governance.roles import User
from synth.intake.importer import Importer
from synth.intake.orders import Order
from synth.intake.secret import installation_key
from synth.intake.transfers import Line, Transfers
from synth.library.pacs import Archive, Network, Node, State, archive, read_network
from synth.library.pacs.listener import Listener
from synth.origins import AuditEvent
from synth.prompts import describe, guard
from synth.store import Store
from synth.types import GeneratedImage

QUIET_S = 5.0  # after the last file that was sent to us: the series is taken as whole
INBOX = "inbox-"
NO_NETWORK = Network()


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


class Archives:
    """The configured PACS. Methods raise ArchiveError, RequestError, PolicyError or StoreError in one sentence."""

    def __init__(self, store: Store, importer: Importer, transfers: Transfers, home: Path, config: Path) -> None:
        self._store, self._importer, self._transfers = store, importer, transfers
        self._home, self._config = home, config
        self._listener: Listener | None = None
        self._inbox = Inbox(importer)

    def network(self) -> Network:
        """What the configuration says now; nothing where there is no such file. Raises RequestError."""
        return read_network(self._config) if self._config.exists() else NO_NETWORK

    def open(self, name: str) -> tuple[Node, Archive]:
        """A node, and the archive that answers there."""
        node = self.network().node(name)
        return node, archive(node, self._listener)

    def listen(self) -> Listener | None:
        """Start the listener where the configuration has one; once. Raises ArchiveError, RequestError."""
        settings = self.network().listener
        if settings is not None and self._listener is None:
            listener = Listener(settings, self._inbox.take)
            listener.start()
            self._listener = listener
        return self._listener

    def fetch(self, wish: Wish, user: str) -> str:
        """Start fetching; returns the id of the transfer. What the library has is not fetched again."""
        _, pacs = self.open(wish.node)
        key = installation_key(self._home)

        def known(uid: str) -> bool:
            return bool(self._store.holdings.held([digest(key, "original", uid).hex()]))

        def work(line: Line) -> str:
            folder, count = self._importer.arriving(), 0

            def keep(data: bytes) -> None:
                nonlocal count
                (folder / f"{count:06d}.dcm").write_bytes(data)
                count += 1
                line.progress(count)

            try:
                moved = pacs.retrieve(wish.study_uid, wish.series_uid, known, keep, line.stopped)
                line.progress(count, moved.expected)
                for outcome in moved.failed:
                    line.problem(outcome.reason)
                return moved.sentence
            finally:  # what arrived before a failure is not lost
                self._import(replace(wish.order, source=folder, own_copy=True), user, line, count)

        detail = {"node": wish.node, "study": digest(key, "study", wish.study_uid).hex()}
        self._store.add_event(AuditEvent(datetime.now(UTC), user, "pacs.fetch", wish.node, "", detail))
        return self._transfers.start("retrieve", wish.title, user, work)

    def push(self, push: Push, user: User) -> str:
        """Start sending, when every image may go; returns the id of the transfer. Raises PolicyError."""
        node, pacs = self.open(push.node)
        if not push.images:
            raise RequestError("No image is chosen; choose one or more synthetic images to send.")
        images = [self._store.image(name) for name in push.images]
        for image in images:
            may_push(image, user, node, push.reason, guard)
        files = [self._file(image, push.kind) for image in images]

        def work(line: Line) -> str:
            moved = pacs.send(files, line.progress, line.stopped)
            for name, outcome in zip(push.images, moved.outcomes, strict=True):
                detail = {"node": node.name, "as": push.kind.value, "outcome": outcome.state.value}
                event = AuditEvent(datetime.now(UTC), user.name, "pacs.push", name, push.reason, detail)
                self._store.add_event(event)
                if outcome.state is State.FAILED:
                    line.problem(outcome.reason)
            return moved.sentence

        return self._transfers.start("push", f"{len(images)} to {node.name}", user.name, work)

    def close(self) -> None:
        """Stop listening and import what arrived."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self._inbox.close()

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

    def _import(self, order: Order, user: str, line: Line, count: int) -> None:
        if count:
            line.arrived(self._importer.begin(order, user))
        else:
            order.source.rmdir()


class Inbox:
    """What was sent to the listener: collected by sender, imported when the sender has been quiet for a while."""

    def __init__(self, importer: Importer, quiet_s: float = QUIET_S) -> None:
        self._importer, self._quiet_s = importer, quiet_s
        self._lock = threading.Lock()
        self._folders: dict[str, Path] = {}
        self._timers: dict[str, threading.Timer] = {}
        for folder in importer.forgotten(INBOX):
            self._begin(folder, "a PACS")

    def take(self, data: bytes, sender: str) -> None:
        """Keep one file. Raises OSError or StoreError where there is no place: the sender keeps its copy then."""
        with self._lock:
            folder = self._folders.get(sender) or self._importer.arriving(INBOX)
            self._folders[sender] = folder
            arriving, path = folder / f".{uuid.uuid4().hex}", folder / f"{uuid.uuid4().hex}.dcm"
            arriving.write_bytes(data)
            arriving.rename(path)
            self._later(sender)

    def close(self) -> None:
        """Import what is there without waiting."""
        for sender in list(self._folders):
            self._import(sender)

    def _later(self, sender: str) -> None:
        if sender in self._timers:
            self._timers[sender].cancel()
        timer = threading.Timer(self._quiet_s, self._import, [sender])
        timer.daemon = True
        self._timers[sender] = timer
        timer.start()

    def _import(self, sender: str) -> None:
        with self._lock:
            folder = self._folders.pop(sender, None)
            if timer := self._timers.pop(sender, None):
                timer.cancel()
        if folder is not None:
            self._begin(folder, sender)

    def _begin(self, folder: Path, sender: str) -> None:
        order = Order(folder, f"sent by {sender}", f"PACS {sender}", "unknown", own_copy=True)
        self._importer.begin(order, f"pacs:{sender}")

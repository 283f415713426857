"""What was sent to the listener: collected by sender, imported when the sender has been quiet for a while."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from synth.errors import SynthError
from synth.intake import arriving
from synth.intake.defaults import Deidentification
from synth.intake.importer import Importer
from synth.intake.orders import Order

QUIET_S = 5.0  # after the last file that was sent to us: the series is taken as whole
PREFIX = "inbox-"

log = logging.getLogger(__name__)


class Inbox:
    """The files of the senders, each sender's in a folder. Every method may be called from any thread."""

    def __init__(self, importer: Importer, rules: Callable[[], Deidentification], quiet_s: float = QUIET_S) -> None:
        """`rules` says how files are de-identified at the time when they come in."""
        self._importer, self._rules, self._quiet_s = importer, rules, quiet_s
        self._lock = threading.Lock()
        self._folders: dict[str, Path] = {}
        self._timers: dict[str, threading.Timer] = {}
        self.problem = ""  # why what arrived is not imported yet

    def recover(self) -> None:
        """Import what an earlier server took and did not import. Raises StoreError, RequestError."""
        for folder in self._importer.forgotten(PREFIX):
            recover(self._importer, folder)

    def take(self, data: bytes, sender: str) -> None:
        """Keep one file. Raises OSError or a SynthError where there is no place: the sender keeps its copy then."""
        with self._lock:
            folder = self._folders.get(sender) or self._opened(sender)
            part, path = folder / f".{uuid.uuid4().hex}", folder / f"{uuid.uuid4().hex}.dcm"
            try:
                part.write_bytes(data)
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)
            self._later(sender)

    def close(self) -> None:
        """Import what is there without waiting."""
        for sender in list(self._folders):
            self._import(sender)

    def _opened(self, sender: str) -> Path:
        folder = self._importer.arriving(PREFIX)
        rules = self._rules()
        order = Order(
            folder, f"sent by {sender}", f"PACS {sender}", "unknown", "", rules.retain, rules.burnt_in,
            rules.refuse_faces, own_copy=True,
        )  # fmt: skip
        arriving.write_order(folder, order, f"pacs:{sender}")
        self._folders[sender] = folder
        return folder

    def _later(self, sender: str) -> None:
        if sender in self._timers:
            self._timers[sender].cancel()
        timer = threading.Timer(self._quiet_s, self._import, [sender])
        timer.daemon = True
        self._timers[sender] = timer
        timer.start()

    def _import(self, sender: str) -> None:
        with self._lock:
            folder = self._folders.get(sender)
            if timer := self._timers.pop(sender, None):
                timer.cancel()
            if folder is None:
                return
            try:
                recover(self._importer, folder)
            except SynthError as error:  # the files stay, and so does their folder: tried again after another pause
                self.problem = str(error)
                log.warning("What %s sent waits: %s", sender, error)
                self._later(sender)
                return
            del self._folders[sender]
            self.problem = ""


def recover(importer: Importer, folder: Path) -> str | None:
    """Import a folder as its note says; returns the id of the import, None where nothing had arrived in it."""
    found = arriving.read_order(folder)
    if found is None or arriving.is_empty(folder):
        if arriving.is_empty(folder):
            (folder / arriving.NOTE).unlink(missing_ok=True)
            with suppress(OSError):  # a file that was half written stays for a look
                folder.rmdir()
        return None
    order, user = found
    return importer.begin(replace(order, source=folder), user)  # the home may have moved

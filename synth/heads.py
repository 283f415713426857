"""Signed heads of the audit trail in a file outside the database: appended on a schedule, read to verify.

The private key, `audit.key`, lies in the home folder; `audit.pub` beside it lets anybody verify without it.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from synth import keys
from synth.errors import RequestError, StoreError, SynthError
from synth.governance import audit
from synth.governance.audit import Entry, Verdict
from synth.governance.heads import Head, Keys, new_key, parse, private_key, public_keys, public_pem, signed
from synth.store.trail import Trail

PRIVATE, PUBLIC = "audit.key", "audit.pub"
FILE = "audit-heads.jsonl"
TAIL_BYTES = 4096  # at the end of the file, in which the last head lies
TOLD_EVERY = 1000  # rows
CLOSING_S = 5.0
log = logging.getLogger(__name__)


class Heads:
    """Signs the end of the trail every so many minutes, and once more when the program ends."""

    def __init__(self, trail: Trail, home: Path, file: Path, minutes: float) -> None:
        """Sign, then start the thread."""
        self._problem = ""
        self._trail, self._home, self._file = trail, home, file
        self._every_s = minutes * 60
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self.sign()
        self._thread = threading.Thread(target=self._work, daemon=True, name="heads")
        self._thread.start()
        atexit.register(self.close)

    def sign(self) -> Head | None:
        """Sign and append the last row of the trail; None where the last head has it already, or `problem` says why."""
        with self._one_at_a_time:
            try:
                head = self._signed()
                self._problem = ""
                return head
            except (SynthError, OSError) as error:
                self._problem = f"The audit trail could not be signed: {error}"
                log.error(self._problem)
                return None

    @property
    def problem(self) -> str:
        """Why the last row could not be signed, empty where it could."""
        return self._problem

    def close(self) -> None:
        """Sign for the last time and end the thread."""
        atexit.unregister(self.close)
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join(CLOSING_S)
            self.sign()

    def _work(self) -> None:
        while not self._stop.wait(self._every_s):
            self.sign()

    def _signed(self) -> Head | None:
        tip, last = self._trail.tip(), _last(self._file)
        if tip is None:
            raise StoreError("the database has lost the number and hash of its last row.")
        if last is not None and tip.seq < last.seq:  # a signature must not cover up that rows are gone
            raise StoreError(f"it ends after row {tip.seq}, but row {last.seq} was signed at {last.at}.")
        if tip.seq == (last.seq if last else 0):
            return None
        key = private_key(keys.kept(self._home, PRIVATE, new_key))
        _publish(self._home / PUBLIC, public_pem(key))
        head = signed(Head(tip.seq, tip.hash, audit.utc(datetime.now(UTC)), ""), key)
        _append(self._file, head.line())
        return head


def place(home: Path, named: str) -> Path:
    """The file of the heads: as the rules name it, within the home where that is no whole path."""
    return home / (Path(named).expanduser() if named else FILE)


def read(file: Path) -> tuple[list[Head], int]:
    """The heads of a file, none where there is no file, and the number of lines that are no heads."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return parse(lines)
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise StoreError(f"The heads {file} cannot be read: {error.strerror}.") from error


def read_keys(file: Path) -> Keys:
    """The public keys of a file, none where there is no file. Raises RequestError where it holds something else."""
    try:
        return public_keys(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RequestError(f"The public key {file} cannot be read: {error.strerror}.") from error


def verified(
    trail: Trail, heads: Sequence[Head], known: Keys, told: Callable[[int, int], None] = lambda done, total: None
) -> Verdict:
    """Verify the trail against heads that were read before; `told` hears now and then how many rows are through."""
    with trail.snapshot() as (tip, entries):
        return audit.verify(_counted(entries, tip.seq if tip else 0, told), tip, heads, known)


def _counted(entries: Iterator[Entry], total: int, told: Callable[[int, int], None]) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        if number % TOLD_EVERY == 0:
            told(number, total)
        yield entry


def _last(file: Path) -> Head | None:
    """The last head of a file; what stands torn before it or after it is passed by."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - TAIL_BYTES))
            heads, _ = parse(opened.read().decode(errors="replace").splitlines())
    except FileNotFoundError:
        return None
    return heads[-1] if heads else None


def _append(file: Path, line: str) -> None:
    """One write of one line, which other servers cannot come between, kept by the disk before this returns."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+", buffering=0) as opened:
        torn = opened.seek(0, os.SEEK_END) > 0 and opened.seek(-1, os.SEEK_END) >= 0 and opened.read(1) != b"\n"
        data = (b"\n" if torn else b"") + line.encode() + b"\n"  # a power cut may have torn the line before
        if opened.write(data) != len(data):
            raise OSError(f"the disk of {file} is full.")
        os.fsync(opened.fileno())


def _publish(file: Path, pem: bytes) -> None:
    """Keep the public key; after a change of keys both are there, so that old heads can still be verified."""
    there = file.read_bytes() if file.exists() else b""
    if pem not in there:
        with file.open("ab") as opened:
            opened.write(pem)

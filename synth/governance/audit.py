"""The audit trail as a chain: every row carries the SHA-256 of itself and, within it, that of the row before.

What is hashed is the canonical JSON (RFC 8785) of a row: members in order of their names, no spaces, UTF-8, times in
UTC with microseconds. All members but the number are strings, the detail too, exactly as it is stored, so that nobody
has to agree on how a number inside it is written. A chain alone does not show that its end was cut off or that all of
it was written anew: for that there is the tip, kept in the database, and heads, signed and kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from synth.governance.heads import Head, Keys, misfit
from synth.origins import AuditEvent

GENESIS = "0" * 64  # what stands for the row before the first
NEAR = 10_000  # rows in each direction among which a displaced row is looked for


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as it is hashed: texts exactly as they are stored, also where somebody has changed them."""

    seq: int  # 1, 2, 3 ... without a gap
    at: str  # UTC, as 2026-05-04T03:02:01.987654Z
    who: str
    action: str
    subject: str
    reason: str
    detail: str  # JSON
    previous: str  # hash of the row before, hex
    hash: str  # of this row, hex

    def line(self) -> bytes:
        """The row as one line of JSON, its hash too: without that member it is what is hashed."""
        return canonical({field.name: getattr(self, field.name) for field in fields(self)}) + b"\n"

    def event(self) -> AuditEvent:
        """What happened. Raises ValueError where somebody has made the row unreadable."""
        at, detail = datetime.fromisoformat(self.at), json.loads(self.detail)
        return AuditEvent(at, self.who, self.action, self.subject, self.reason, detail)

    def known(self, name: str) -> str:
        """What the detail says of a name, such as "model" or "seed"; empty where it says nothing."""
        try:
            detail = json.loads(self.detail)
        except ValueError:  # changed by somebody
            return ""
        value = detail.get(name) if isinstance(detail, dict) else None
        return "" if value is None else str(value)


HASHED = tuple(field.name for field in fields(Entry) if field.name != "hash")


@dataclass(frozen=True, slots=True)
class Tip:
    """Number and hash of the last row, as the database keeps them beside the trail."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a verification. `row` is the first row that is not as it was written, or that is missing."""

    rows: int  # that were read until the walk ended
    heads: int  # signed heads that were given
    last: Head | None = None  # the newest signed head that fits
    row: int | None = None
    problem: str = ""  # one sentence

    @property
    def valid(self) -> bool:
        """True where nothing is wrong."""
        return not self.problem


def canonical(members: Mapping[str, Any]) -> bytes:
    """Canonical JSON (RFC 8785) of an object of strings and whole numbers with ASCII names."""
    text = json.dumps(dict(members), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")  # a damaged row must be found, not stop the search


def utc(at: datetime) -> str:
    """A point in time as it is hashed. A naive one raises ValueError: nobody knows when it was."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def digest(entry: Entry) -> str:
    """SHA-256 (hex) over the canonical JSON of everything in the row but its hash."""
    return hashlib.sha256(canonical({name: getattr(entry, name) for name in HASHED})).hexdigest()


def sealed(event: AuditEvent, after: Tip) -> Entry:
    """The event as the row that follows `after`. Raises ValueError where its detail is no JSON."""
    detail = json.dumps(event.detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    texts = (utc(event.at), event.who, event.action, event.subject, event.reason, detail)
    entry = Entry(after.seq + 1, *texts, previous=after.hash, hash="")
    return replace(entry, hash=digest(entry))


def verify(entries: Iterable[Entry], tip: Tip | None, heads: Iterable[Head], keys: Keys) -> Verdict:
    """Walk all rows in order of their numbers, against the tip and the heads; memory holds heads and the last hashes.

    Ends at the first row that is not as it was written.
    """
    signed: defaultdict[int, list[Head]] = defaultdict(list)
    for head in heads:
        signed[head.seq].append(head)
    count, last, fitting = sum(map(len, signed.values())), Tip(0, GENESIS), None
    recent: deque[str] = deque(maxlen=NEAR)
    for entry, follower in _with_follower(entries, tip):
        broken = _broken(entry, last, follower, recent)
        if broken is None:
            last = Tip(entry.seq, entry.hash)
            recent.append(entry.hash)
            for head in signed.pop(entry.seq, ()):
                broken = broken or _unlike(head, entry.hash, keys, fitting)
                fitting = head if broken is None else fitting
        if broken is not None:
            return Verdict(last.seq, count, fitting, *broken)
    broken = _cut(last, tip, [head for seq in sorted(signed) for head in signed[seq]], keys)
    return Verdict(last.seq, count, fitting, *(broken or (None, "")))


Broken = tuple[int | None, str]  # the row, and what is wrong with it


def _with_follower(entries: Iterable[Entry], tip: Tip | None) -> Iterator[tuple[Entry, str]]:
    """Each entry with the hash that what comes after it names for it: the next row, after the last one the tip."""
    before: Entry | None = None
    for entry in entries:
        if before is not None:
            yield before, entry.previous
        before = entry
    if before is not None:
        yield before, tip.hash if tip is not None else before.hash


def _broken(entry: Entry, last: Tip, follower: str, recent: Sequence[str]) -> Broken | None:
    """What is wrong with a row after `last`; a row that was hashed anew shows only in what follows it."""
    wanted = last.seq + 1
    if entry.seq > wanted:
        rows = f"Row {wanted} is" if entry.seq == wanted + 1 else f"Rows {wanted} to {entry.seq - 1} are"
        return wanted, f"{rows} missing before row {entry.seq}."
    if entry.seq < wanted:
        return entry.seq, f"Row {entry.seq} comes after row {last.seq}: the rows are out of order."
    whole = digest(entry) == entry.hash
    if entry.previous == last.hash:
        return None if whole else (wanted, f"Row {wanted} was changed after it was written.")
    if not whole:
        return _displaced(entry, recent)
    if wanted > 1 and follower == entry.hash:
        return last.seq, f"Row {last.seq} was changed and hashed anew: row {wanted} was written after another one."
    return wanted, f"Row {wanted} was changed and hashed anew: it does not follow from the row before it."


def _displaced(entry: Entry, recent: Sequence[str]) -> Broken:
    """Where a row was written that stands elsewhere; `recent` are the hashes of the rows before it."""
    near = range(max(1, entry.seq - NEAR), entry.seq + NEAR)
    origin = next((seq for seq in near if digest(replace(entry, seq=seq)) == entry.hash), None)
    if origin is None:
        return entry.seq, f"Row {entry.seq} was changed after it was written."
    if origin < entry.seq and recent[origin - entry.seq] == entry.hash:
        return entry.seq, f"Row {entry.seq} is a copy of row {origin}."
    first = min(origin, entry.seq)
    return first, f"Row {entry.seq} holds what was written as row {origin}: rows were swapped, put in or taken out."


def _unlike(head: Head, found: str, keys: Keys, fitting: Head | None) -> Broken | None:
    """What is wrong with a head whose row is there."""
    if problem := misfit(head, keys):
        return head.seq, problem
    if head.hash == found:
        return None
    since = fitting.seq + 1 if fitting else 1
    where = f"row {head.seq}" if since == head.seq else f"one of the rows {since} to {head.seq}"
    return head.seq, f"Row {head.seq} is not the one that was signed at {head.at}: {where} was written anew."


def _cut(last: Tip, tip: Tip | None, beyond: list[Head], keys: Keys) -> Broken | None:
    """What is wrong with the end of the trail; `beyond` are the heads whose rows are not there, by number."""
    if tip is None:
        return None, "The database has lost the number and hash of its last row; restore them from a copy."
    end = f"The trail ends after row {last.seq}"
    if tip.seq > last.seq:
        return last.seq + 1, f"{end}, but row {tip.seq} was written: the rows between were deleted."
    for head in beyond:
        if problem := misfit(head, keys):
            return head.seq, problem
        return last.seq + 1, f"{end}, but row {head.seq} was signed at {head.at}: the rows between were deleted."
    if tip.seq < last.seq:
        return tip.seq + 1, f"Row {tip.seq + 1} was not written by this program: it knows of {tip.seq} rows."
    if tip.hash != last.hash:
        return last.seq, f"Row {last.seq} was changed and hashed anew: the database remembers another hash."
    return None

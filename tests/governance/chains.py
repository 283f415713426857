"""Trails as the tests of the chain need them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from synth.governance.audit import GENESIS, Entry, Tip, sealed
from synth.governance.heads import Head, Keys, key_id, signed
from synth.origins import AuditEvent

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS: Keys = {key_id(KEY.public_key()): KEY.public_key()}


def event(number: int) -> AuditEvent:
    at = NOON + timedelta(seconds=number, microseconds=number)
    return AuditEvent(at, "Åsa 漢字", "done", f"image{number}", 'said "so"\n', {"seed": number, "model": "tiny"})


def chain(events: Sequence[AuditEvent]) -> list[Entry]:
    entries, tip = [], Tip(0, GENESIS)
    for one in events:
        entries.append(sealed(one, tip))
        tip = tip_of(entries)
    return entries


def trail(rows: int) -> list[Entry]:
    return chain([event(number) for number in range(1, rows + 1)])


def tip_of(entries: Sequence[Entry]) -> Tip:
    return Tip(entries[-1].seq, entries[-1].hash) if entries else Tip(0, GENESIS)


def head_of(entry: Entry) -> Head:
    return signed(Head(entry.seq, entry.hash, "2026-05-04T13:00:00.000000Z", ""), KEY)

"""New identifiers from old ones by a keyed hash: the same key maps the same way, and its own results to themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from pydicom.uid import UID

LONGEST_SHIFT_DAYS = 3650
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")  # PS3.5 9.1
_OWN_PATIENT = re.compile(r"ANON-([A-Z2-7]{10})([A-Z2-7]{4})")


def digest(key: bytes, purpose: str, identity: str) -> bytes:
    """HMAC-SHA256 (32 bytes) of the identity, another one for each purpose."""
    return hmac.new(key, f"{purpose}:{identity}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def well_formed(uid: str) -> bool:
    """True for digits and dots of at most 64 characters (PS3.5 9.1): a name inside a UID is none."""
    return len(uid) <= 64 and _UID.fullmatch(uid) is not None


def new_uid(key: bytes, uid: str) -> UID:
    """A UID under 2.25 (PS3.5 B.2), a UUID of version 8; one that this key made stays as it is.

    The last 32 bits authenticate the others, so that a kept file that comes in again keeps its identity.
    """
    if _is_own(key, uid):
        return UID(uid)
    upper = int.from_bytes(digest(key, "uid", uid)[:12])
    upper = upper & ~(0xF << 44) | 0x8 << 44  # version 8: bits 76-79 of 128
    upper = upper & ~(0x3 << 30) | 0x2 << 30  # variant 10: bits 62-63
    return UID(f"2.25.{upper << 32 | _check(key, upper)}")


def new_patient(key: bytes, identity: str) -> str:
    """ANON- and 14 letters or digits, of which the last four authenticate the others."""
    if own_patient(key, identity):
        return identity
    body = base64.b32encode(digest(key, "patient", identity))[:10].decode()
    return f"ANON-{body}{_patient_check(key, body)}"


def own_patient(key: bytes, identity: str) -> bool:
    """True for what `new_patient` made with this key."""
    found = _OWN_PATIENT.fullmatch(identity)
    return found is not None and hmac.compare_digest(found[2], _patient_check(key, found[1]))


def shift_days(key: bytes, identity: str) -> int:
    """Days (1-3650) by which every date of this patient moves back; 0 where they have been moved already."""
    if own_patient(key, identity):
        return 0
    return 1 + int.from_bytes(digest(key, "days", identity)[:8]) % LONGEST_SHIFT_DAYS


def _is_own(key: bytes, uid: str) -> bool:
    number = uid.removeprefix("2.25.")
    if number == uid or not (number.isascii() and number.isdigit()) or len(number) > 39:
        return False
    upper, check = divmod(int(number), 1 << 32)
    return upper < 1 << 96 and check == _check(key, upper)


def _check(key: bytes, upper: int) -> int:
    return int.from_bytes(digest(key, "uid check", f"{upper:x}")[:4])


def _patient_check(key: bytes, body: str) -> str:
    return base64.b32encode(digest(key, "patient check", body))[:4].decode()

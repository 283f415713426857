"""Signed heads of the audit trail: number and hash of a row, signed with Ed25519 (RFC 8032), one JSON line each.

They are kept outside the database. Whoever cuts the trail off or writes it anew cannot make the heads fit again
without the private key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from synth.errors import RequestError

Keys = Mapping[str, Ed25519PublicKey]  # by key id
END = b"-----END PUBLIC KEY-----"


@dataclass(frozen=True, slots=True)
class Head:
    """That the trail had this row at this time."""

    seq: int
    hash: str  # of the row, hex
    at: str  # UTC, ISO 8601
    key: str  # id of the key
    signature: str = ""  # hex

    def line(self) -> str:
        """The head as one line of JSON, without the line break."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def signed_bytes(self) -> bytes:
        """What is signed: the canonical JSON (RFC 8785) of the head without its signature."""
        members = asdict(self)
        del members["signature"]
        return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def key_id(key: Ed25519PublicKey) -> str:
    """The first 16 hex digits of the SHA-256 of the 32 bytes of the public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def new_key() -> bytes:
    """A new private key as PEM (PKCS 8)."""
    plain = serialization.NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """The key of `new_key`. Raises RequestError for anything else."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RequestError("The key of the audit trail cannot be read; it must be an Ed25519 key in PEM.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise RequestError("The key of the audit trail is of another kind; it must be an Ed25519 key.")
    return key


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public half as PEM, for those who verify."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_keys(pem: bytes) -> Keys:
    """The public keys of a file that holds one or, after a change of keys, several. Raises RequestError."""
    blocks = [block + END for block in pem.split(END)[:-1]]
    try:
        keys = [serialization.load_pem_public_key(block.strip()) for block in blocks]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RequestError("The public key cannot be read; it must be an Ed25519 key in PEM.") from error
    found = {key_id(key): key for key in keys if isinstance(key, Ed25519PublicKey)}
    if not found or len(found) < len(set(blocks)):
        raise RequestError("The file of the public key holds no Ed25519 key in PEM.")
    return found


def signed(head: Head, key: Ed25519PrivateKey) -> Head:
    """The head with its signature."""
    named = replace(head, key=key_id(key.public_key()), signature="")
    return replace(named, signature=key.sign(named.signed_bytes()).hex())


def misfit(head: Head, keys: Keys) -> str:
    """Why the signature of a head cannot be trusted, in one sentence; empty where it can."""
    key = keys.get(head.key)
    if key is None:
        known = ", ".join(keys) or "none"
        return f"The head of row {head.seq} is signed with the key {head.key}; known is {known}."
    try:
        key.verify(bytes.fromhex(head.signature), head.signed_bytes())
    except (InvalidSignature, ValueError):
        return f"The signature of the head of row {head.seq} is not right: the head was changed."
    return ""


def parse(lines: Iterable[str]) -> tuple[list[Head], int]:
    """The heads of lines, and how many lines are none, as one that a power cut tore. Empty lines are passed by."""
    heads: list[Head] = []
    unreadable = 0
    for line in lines:
        if not line.strip():
            continue
        if head := _head(line):
            heads.append(head)
        else:
            unreadable += 1
    return heads, unreadable


def _head(line: str) -> Head | None:
    try:
        head = Head(**json.loads(line))
    except (ValueError, TypeError):
        return None
    texts = (head.hash, head.at, head.key, head.signature)
    return head if type(head.seq) is int and all(isinstance(text, str) for text in texts) else None

"""Passwords: what one must be like, and its argon2id hash (RFC 9106). The salt comes in."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from synth.errors import RequestError

LONGEST = 256  # characters; a longer one would only cost time
SALT_BYTES = 16
DIFFERENT = 5  # characters that differ, at least
NAMED = 4  # characters; a shorter name may stand in a password by chance

# The commonest of published lists that would be long enough, and what one types here first.
COMMONEST = frozenset(
    [
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "password123!",
        "password1234!",
        "p@ssw0rd1234",
        "passw0rd1234",
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456789abc",
        "1234567890ab",
        "0123456789ab",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopas",
        "qwertyuiopasdf",
        "qwerty123456",
        "qwerty1234567",
        "1q2w3e4r5t6y",
        "1q2w3e4r5t6y7u",
        "1qaz2wsx3edc",
        "1qaz2wsx3edc4rfv",
        "zaq12wsxcde3",
        "q1w2e3r4t5y6",
        "qazwsxedcrfv",
        "asdfghjkl123",
        "zxcvbnm12345",
        "abcdefghijkl",
        "abcdefghijklm",
        "abcdef123456",
        "abc123456789",
        "iloveyou1234",
        "iloveyou12345",
        "letmein12345",
        "letmein123456",
        "welcome12345",
        "welcome123456",
        "changeme1234",
        "changemechangeme",
        "changeme12345",
        "administrator",
        "administrator1",
        "administrator123",
        "adminadminadmin",
        "admin1234567",
        "admin12345678",
        "trustno1trustno1",
        "monkey123456",
        "dragon123456",
        "football1234",
        "baseball1234",
        "sunshine1234",
        "princess1234",
        "superman1234",
        "summer2024summer",
        "correcthorsebatterystaple",
        "synthreadsynthread",
        "synthread1234",
        "synthread12345",
        "radiology1234",
        "radiology12345",
        "hospital1234",
        "hospital12345",
        "chestxraychestxray",
    ]
)

_hasher = PasswordHasher()  # argon2-cffi's default: 64 MiB, 3 passes, 4 lanes (RFC 9106, section 4, second choice)


def normal(text: str) -> str:
    """The password as it is hashed: NFKC, so that every keyboard types the same one."""
    return unicodedata.normalize("NFKC", text)


def check(password: str, name: str, least: int) -> None:
    """Pass a password that may be used for the account `name`. Raises RequestError saying what is wrong."""
    text = normal(password)
    if len(text) < least:
        raise RequestError(f"The password has {len(text)} characters; at least {least} are needed.")
    if len(text) > LONGEST:
        raise RequestError(f"The password has {len(text)} characters; at most {LONGEST} are read.")
    plain = text.casefold()
    if len(name) >= NAMED and name.casefold() in plain:
        raise RequestError("The password holds the name of the account; choose one that does not.")
    if plain in COMMONEST or re.sub(r"[\W_]+", "", plain) in COMMONEST:
        raise RequestError("The password is one of the commonest; choose one that nobody else has.")
    if len(set(plain)) < DIFFERENT:
        raise RequestError(f"The password has fewer than {DIFFERENT} different characters; choose another.")


def hashed(password: str, salt: bytes) -> str:
    """The argon2id hash with its parameters, as it is kept."""
    return _hasher.hash(normal(password), salt=salt)


def fits(kept: str, password: str) -> bool:
    """Whether the password is the one of the hash; without a hash the same time goes by, and it is not."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(kept or _nobodys(), normal(password)) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than those of today."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password", salt=bytes(SALT_BYTES))

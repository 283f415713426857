"""The house's own numbers, from `governance.toml` in the home: quotas, lengths of stay, how often heads are written."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields

from synth.errors import RequestError

PER_HOUR = 120  # images of one user where people share a server


@dataclass(frozen=True, slots=True)
class Rules:
    """What an administrator may set; a file need not name any."""

    images_per_hour: int = 0  # that one user may ask for; 0: PER_HOUR where people sign in, else without limit
    session_hours: int = 12  # after which one signs in again
    idle_minutes: int = 60
    password_length: int = 12  # characters at least
    tries: int = 5  # wrong passwords before the lock-out
    lock_minutes: int = 15
    verify_per_minute: int = 30  # files that one address may have checked without signing in
    head_minutes: int = 10  # between two signed heads of the audit trail
    heads: str = ""  # file of the heads; empty: audit-heads.jsonl in the home
    https: bool = False  # a proxy in front speaks TLS: cookies are marked Secure
    proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-For is believed
    two_readers: bool = False  # an image is validated by two radiologists
    name_claim: str = "email"  # of an OIDC token: what its bearer is called here
    role_claim: str = "roles"  # of an OIDC token: a text or a list of texts
    role_names: tuple[str, ...] = ()  # what the claim says, and the role it gives: "teaching-staff = educator"

    def hourly(self, signed_in: bool) -> int | None:
        """How many images one user may ask for in an hour; None for any number, as on one's own computer."""
        return self.images_per_hour or (PER_HOUR if signed_in else None)

    @classmethod
    def from_text(cls, text: str) -> Rules:
        """Read TOML. Raises RequestError naming what cannot be read, with the type that is right."""
        try:
            given = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RequestError(f"governance.toml cannot be read: {error}.") from error
        known = {field.name: type(field.default) for field in fields(cls)}
        for name, value in given.items():
            if name not in known:
                raise RequestError(f"governance.toml names {name!r}; known are {', '.join(sorted(known))}.")
            given[name] = _fitting(name, value, known[name])
        return cls(**given)


def _fitting(name: str, value: object, wanted: type) -> object:
    if wanted is tuple and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if type(value) is not wanted or (wanted is int and isinstance(value, int) and value < 1):
        right = {int: "a whole number of 1 or more", str: "text", bool: "true or false", tuple: "a list of texts"}
        raise RequestError(f"governance.toml: {name} is {value!r}; it must be {right[wanted]}.")
    return value

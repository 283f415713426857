"""Accounts: their names, how long one stays signed in, and when a name or an address is locked out."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from synth.errors import PolicyError, RequestError
from synth.governance.calls import HOUSE
from synth.governance.roles import LOCAL_USER, Role, User
from synth.governance.rules import Rules

NAME = re.compile(r"[\w][\w.@+-]{0,63}")
NOBODY = HOUSE | {LOCAL_USER.name, "starter", "unknown", "system"}  # names that stand for the house itself
LONGEST = 64  # characters of a name, a display name or a group
GROUPS = 32  # of one account
TOKEN_BYTES = 32
ONE_TIME = 20  # characters of a password that is shown once
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # 31 letters and digits that nobody mistakes: 99 bit in 20
ADDRESS_TRIES = 4  # times as many wrong passwords as one name has may come from one address
WRONG = "Name, password or code is wrong, or there were too many tries"


@dataclass(frozen=True, slots=True)
class Lock:
    """Wrong passwords since the last right one, and until when no further one is looked at."""

    failures: int = 0
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether nobody may try now."""
        return self.until is not None and now < self.until


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. Neither password nor secret is part of it."""

    name: str
    display: str = ""
    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()
    disabled: bool = False
    must_change: bool = False  # the password was shown to an administrator
    has_totp: bool = False
    lock: Lock = Lock()
    seen_at: datetime | None = None  # UTC

    def user(self) -> User:
        """Who asks, for the services."""
        return User(self.name, self.roles, self.groups)


@dataclass(frozen=True, slots=True)
class Stay:
    """One browser that is signed in."""

    account: Account
    began_at: datetime  # UTC
    seen_at: datetime  # UTC: the last thing its owner did

    def ended(self, now: datetime, rules: Rules) -> bool:
        """Whether it has lasted too long, was left alone too long, or its account is disabled."""
        whole, idle = timedelta(hours=rules.session_hours), timedelta(minutes=rules.idle_minutes)
        return self.account.disabled or now >= min(self.began_at + whole, self.seen_at + idle)


def account_name(text: str) -> str:
    """The name as it is kept: NFKC, small letters. Raises RequestError on one that cannot be a name."""
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    if not NAME.fullmatch(name):
        shown = name[:LONGEST]
        raise RequestError(f"{shown!r} cannot be a name; 1 to {LONGEST} letters, digits and . _ - @ + can.")
    if name in NOBODY:
        raise RequestError(f"{name!r} is the name of the house itself; choose another.")
    return name


def label(text: str, what: str) -> str:
    """A display name or a group, with single spaces. Raises RequestError where it is too long or not printable."""
    words = " ".join(unicodedata.normalize("NFKC", text).split())
    if len(words) > LONGEST or not words.isprintable():
        raise RequestError(f"{what} {words[:LONGEST]!r} must be at most {LONGEST} printable characters.")
    return words


def groups_of(texts: Iterable[str]) -> frozenset[str]:
    """Groups, cleaned. Raises RequestError on too many or on one that cannot be read."""
    found = frozenset(group for text in texts if (group := label(text, "The group")))
    if len(found) > GROUPS:
        raise RequestError(f"{len(found)} groups were given; an account has at most {GROUPS}.")
    return found


def tried(lock: Lock, now: datetime, rules: Rules) -> Lock | None:
    """The lock after one more try, which counts as wrong until it proves right; None where none is allowed.

    Counted before the password is looked at, so that many tries at once are not more than one after another.
    """
    if lock.holds(now):
        return None
    failures = 1 if lock.until is not None else lock.failures + 1
    until = now + timedelta(minutes=rules.lock_minutes) if failures >= rules.tries else None
    return Lock(failures, until)


def wrong(rules: Rules) -> PolicyError:
    """The one sentence for every sign-in that fails, whatever the cause."""
    return PolicyError(f"{WRONG}; after {rules.tries} wrong ones wait {rules.lock_minutes} minutes.")


def bucket(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network that one IPv6 subscriber has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:LONGEST]
    if isinstance(known, ipaddress.IPv6Address):
        return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def fingerprint(token: str) -> str:
    """What is kept of a session token: its sha256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def one_time(random: bytes) -> str:
    """A password that is shown once, from random bytes: groups of five, as "k7dmq-..."."""
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in random[:ONE_TIME])
    return "-".join(letters[i : i + 5] for i in range(0, ONE_TIME, 5))


def may_change_roles(by: User, name: str) -> None:
    """Roles are given by another administrator, never by oneself. Raises PolicyError."""
    if by.name == name:
        raise PolicyError(f"{name} may not change the own roles or groups; another administrator must.")


def keeps_an_administrator(accounts: Iterable[Account], after: Account) -> None:
    """Raises PolicyError where the change would leave nobody who can manage accounts."""
    others = [one for one in accounts if one.name != after.name]
    if not any(Role.ADMINISTRATOR in one.roles and not one.disabled for one in (*others, after)):
        raise PolicyError(f"{after.name} is the last administrator; make another one first.")

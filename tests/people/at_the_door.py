"""A register whose clock and chance a test turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from synth.governance.accounts import Account
from synth.governance.roles import Role, User
from synth.governance.rules import Rules
from synth.people import Register
from synth.people.register import Sources
from synth.store import Store

PHRASE = "a long harmless phrase"
BOSS = User("boss", frozenset({Role.ADMINISTRATOR}))
KEY = b"k" * 32
HERE = "192.0.2.7"


@dataclass
class Clock:
    """Time and chance of one test: both repeat exactly."""

    now: datetime = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    drawn: int = field(default=0)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)

    def random(self, count: int) -> bytes:
        self.drawn += 1
        return sha256(str(self.drawn).encode()).digest()[:count]


def register_of(store: Store, clock: Clock, rules: Rules | None = None) -> Register:
    return Register(store.people, rules or Rules(), KEY, Sources(clock, clock.random))


def with_account(register: Register, name: str = "ada", *roles: Role) -> None:
    made = Account(name, roles=frozenset(roles or {Role.TRAINEE}))
    register.add_with(made, PHRASE, BOSS)

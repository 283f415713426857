"""The register: accounts made, changed and shut, and people let in with a password and, if they like, a code."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from synth import home, keys
from synth.config import Settings
from synth.errors import PolicyError, RequestError
from synth.governance import accounts, passwords, second
from synth.governance.accounts import Account, Stay, fingerprint
from synth.governance.roles import Role, User
from synth.governance.rules import Rules
from synth.store import Store
from synth.store.people import Attempt, People, Proof
from synth.types import AuditEvent

LATELY = timedelta(seconds=3)  # how long a look-up counts: another process may have ended the stay meanwhile
LOOKED_UP = 1024  # tokens that are remembered
TOUCH = timedelta(seconds=30)  # between two entries of when somebody was last active


@dataclass(frozen=True, slots=True)
class Sources:
    """Where time and chance come from: an aware clock, and bytes that nobody can guess."""

    clock: Callable[[], datetime]
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Right:
    """A counted try whose password was right."""

    number: int
    proof: Proof


class Register:
    """The accounts as this process uses them. Every method may be called from any thread; StoreError is raised by all.

    Passwords and tokens come in and go out; neither is ever written to an event or a log.
    """

    def __init__(self, people: People, rules: Rules, key: bytes, sources: Sources) -> None:
        """`key` are the 32 bytes under which second factors are kept."""
        self._people, self._rules, self._key, self._from = people, rules, key, sources
        self._lately: OrderedDict[str, tuple[datetime, Stay | None]] = OrderedDict()  # by fingerprint
        self._epoch = 0  # grows whenever a stay may have ended
        self._looking = threading.Lock()

    # What administrators do; `by` is who does it.

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        return self._people.accounts()

    def add(self, made: Account, by: User) -> str:
        """Make an account; returns a password that is shown once. Raises RequestError on a name that cannot be."""
        once = self.one_time()
        self.add_with(made, once, by, must_change=True)
        return once

    def add_with(self, made: Account, password: str, by: User, must_change: bool = False) -> None:
        """Make an account with a password that its owner chose. Raises RequestError."""
        name = accounts.account_name(made.name)
        if not made.roles:
            raise RequestError(f"The account {name!r} has no role; give it at least one.")
        passwords.check(password, name, self._rules.password_length)
        clean = replace(made, name=name, display=accounts.label(made.display, "The name"), must_change=must_change)
        clean = replace(clean, groups=accounts.groups_of(made.groups))
        detail = {"roles": sorted(clean.roles), "groups": sorted(clean.groups)}
        self._people.add(clean, self._hash(password), self._event(by.name, "account.add", name, **detail))

    def change(self, name: str, roles: frozenset[Role], groups: frozenset[str], by: User) -> None:
        """Give an account other roles and groups, which signs it out. Raises PolicyError on the own, RequestError."""
        accounts.may_change_roles(by, name)
        if not roles:
            raise RequestError(f"{name} would have no role; disable the account instead.")
        clean = accounts.groups_of(groups)
        detail = {"roles": sorted(roles), "groups": sorted(clean)}
        self._people.set_roles(name, roles, clean, self._event(by.name, "account.change", name, **detail))
        self._forget()

    def set_disabled(self, name: str, disabled: bool, by: User) -> None:
        """Shut an account, which signs it out, or open it again. Raises PolicyError on the last administrator."""
        action = "account.disable" if disabled else "account.enable"
        self._people.set_disabled(name, disabled, self._event(by.name, action, name))
        self._forget()

    def reset(self, name: str, by: User) -> str:
        """A new password, shown once, that must be changed; the second factor is dropped."""
        once = self.one_time()
        self._people.set_password(name, self._hash(once), self._event(by.name, "account.reset", name), one_time=True)
        self._forget()
        return once

    def unlock(self, name: str, by: User) -> None:
        """Let somebody try again at once."""
        self._people.unlock(name, self._event(by.name, "account.unlock", name))

    def end_stays(self, name: str, by: User) -> None:
        """Sign somebody out of every browser."""
        self._people.end_stays(name, self._event(by.name, "account.end_sessions", name))
        self._forget()

    # What people do for themselves.

    def sign_in(self, name: str, password: str, code: str, address: str) -> str:
        """Let somebody in; returns the new token. Raises PolicyError, with one sentence whatever was wrong."""
        try:
            known = accounts.account_name(name)
        except RequestError:
            known = ""  # nobody is called so: the same time goes by, and the same sentence follows
        now = self._from.clock()
        attempt = self._try(known, password, address, now)
        period = self._period(attempt.proof, code, now)
        token = self._enter(attempt, now, period) if period is not None else None
        if token is None:
            raise self._refused(attempt, address)
        if passwords.outdated(attempt.proof.password):
            self._people.renew_hash(known, attempt.proof.password, self._hash(password))
        return token

    def sign_out(self, token: str) -> None:
        """End one stay; a token that nobody has is no error."""
        stay = self._people.stay(fingerprint(token))
        if stay is not None:
            name = stay.account.name
            self._people.leave(fingerprint(token), self._event(name, "account.sign_out", name))
        self._forget()

    def change_password(self, name: str, old: str, new: str, address: str) -> str:
        """Take another password, which ends every stay; returns the token of a new one.

        Raises PolicyError where the old password is wrong, RequestError where the new one cannot be.
        """
        if passwords.normal(new) == passwords.normal(old):
            raise RequestError("The new password is the old one; choose another.")
        passwords.check(new, name, self._rules.password_length)
        now = self._from.clock()
        attempt = self._try(name, old, address, now)
        self._people.set_password(name, self._hash(new), self._event(name, "account.password", name))
        self._forget()
        token = self._enter(attempt, now, 0)
        assert token is not None  # without a code there is none that could be used up
        return token

    def begin_second_factor(self, name: str) -> str:
        """A secret for the authenticator app of somebody who has none yet; kept only once a code proves it."""
        if self._people.proof(name).totp:
            raise PolicyError(f"{name} has a second factor; an administrator can reset the account.")
        return second.secret(self._from.random(second.SECRET_BYTES))

    def keep_second_factor(self, name: str, secret: str, code: str, password: str) -> None:
        """Keep the secret from `begin_second_factor`. Raises RequestError on a code that does not fit, PolicyError."""
        now = self._from.clock()
        if self._people.proof(name).totp:
            raise PolicyError(f"{name} has a second factor; an administrator can reset the account.")
        period = second.period_of(secret, code, now, 0)
        if period is None:
            raise RequestError("The code does not fit; type the six digits that the app shows now.")
        self._try(name, password, "second factor", now)
        sealed = second.sealed(name, secret, self._key, self._from.random(second.NONCE_BYTES))
        self._people.set_totp(name, sealed, period, self._event(name, "account.second_factor", name))
        self._forget()

    # Who is here.

    def stay(self, token: str) -> Stay | None:
        """Who is signed in under a token; None where nobody is or the time is over."""
        now, known = self._from.clock(), fingerprint(token)
        with self._looking:
            at, stay = self._lately.get(known, (None, None))
            epoch = self._epoch
        if at is None or not timedelta(0) <= now - at < LATELY:
            stay = self._people.stay(known)
            self._remember(known, now, stay, epoch)
        if stay is None or not stay.ended(now, self._rules):
            return stay
        self._people.leave(known, None)
        return None

    def touch(self, token: str) -> None:
        """The owner of a token has just done something: the idle time begins anew."""
        stay, now = self.stay(token), self._from.clock()
        if stay is not None and now - stay.seen_at >= TOUCH:
            self._people.touch(fingerprint(token), now)
            self._forget()

    def account(self, name: str) -> Account | None:
        """The account of somebody who was let in elsewhere, None where there is none."""
        return self._people.account(name)

    def one_time(self) -> str:
        """A password to be shown once."""
        return accounts.one_time(self._from.random(accounts.ONE_TIME))

    def entered(self, name: str, by: str) -> None:
        """Tell the audit trail of somebody whom a service has signed in, once for each window. Raises StoreError."""
        self._people.tell(self._event(name, "account.sign_in", name, by=by))

    def _try(self, name: str, password: str, address: str, now: datetime) -> Right:
        """Count a try, then look at the password. Raises PolicyError."""
        attempt = self._people.try_in(name, accounts.bucket(address), now, self._rules)
        if attempt is None:
            raise accounts.wrong(self._rules)
        right = passwords.fits(attempt.proof.password if attempt.proof else "", password)  # takes as long without
        if attempt.number == 0:
            raise accounts.wrong(self._rules)
        if attempt.proof is None or not right:
            raise self._refused(attempt, address)
        return Right(attempt.number, attempt.proof)

    def _refused(self, attempt: Attempt | Right, address: str) -> PolicyError:
        name = attempt.proof.account.name if attempt.proof else "unknown"  # what was typed may be a password
        self._people.tell(self._event(name, "account.sign_in_refused", name, address=accounts.bucket(address)))
        return accounts.wrong(self._rules)

    def _period(self, proof: Proof, code: str, now: datetime) -> int | None:
        """The period of the code, 0 where the account needs none, None where the code is wrong or was used."""
        if not proof.totp:
            return 0
        secret = second.opened(proof.account.name, proof.totp, self._key)
        return second.period_of(secret, code, now, proof.totp_period)

    def _enter(self, attempt: Right, now: datetime, period: int) -> str | None:
        """A new token for whoever proved right; None where the code was used meanwhile."""
        name = attempt.proof.account.name
        token = self._from.random(accounts.TOKEN_BYTES).hex()
        event = self._event(name, "account.sign_in", name)
        self._people.forget_stays(now - timedelta(hours=self._rules.session_hours))
        entered = Stay(attempt.proof.account, now, now)
        return token if self._people.enter(attempt.number, entered, fingerprint(token), period, event) else None

    def _remember(self, known: str, now: datetime, stay: Stay | None, epoch: int) -> None:
        with self._looking:
            if epoch == self._epoch:  # else something has ended since the look-up began
                self._lately[known] = (now, stay)
                self._lately.move_to_end(known)
            while len(self._lately) > LOOKED_UP:
                self._lately.popitem(last=False)

    def _forget(self) -> None:
        with self._looking:
            self._epoch += 1
            self._lately.clear()

    def _hash(self, password: str) -> str:
        return passwords.hashed(password, self._from.random(passwords.SALT_BYTES))

    def _event(self, who: str, action: str, name: str, **detail: Any) -> AuditEvent:
        return AuditEvent(self._from.clock(), who, action, name, "", detail)


def opened(settings: Settings, store: Store) -> Register:
    """The register of an installation, on the clock and the chance of this computer. Raises RequestError."""
    sources = Sources(lambda: datetime.now(UTC), secrets.token_bytes)
    return Register(store.people, home.rules(settings.home), keys.secret(settings.home, keys.ACCOUNTS), sources)

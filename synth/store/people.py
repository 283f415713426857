"""Accounts and who is signed in. Every change is told to the audit trail in its own transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from synth.errors import RequestError, StoreError
from synth.governance import accounts
from synth.governance.accounts import Account, Lock, Stay
from synth.governance.roles import Role
from synth.governance.rules import Rules
from synth.store.database import Database, insert_once
from synth.store.people_tables import AccountRow, StayRow, TryRow
from synth.store.trail import append
from synth.types import AuditEvent


@dataclass(frozen=True, slots=True)
class Proof:
    """What a password and a code are compared with; it stays in the process."""

    account: Account
    password: str  # argon2id hash
    totp: str  # sealed, empty without a second factor
    totp_period: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was counted before its password is looked at. `proof` is None for a name that nobody has."""

    number: int  # 0 for a name that is locked out
    proof: Proof | None


class People:
    """The accounts of one database. Every method may be called from any thread and raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        with self._database.reading() as session:
            return [_account(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.name))]

    def account(self, name: str) -> Account | None:
        """One account, None where nobody has the name."""
        with self._database.reading() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.name == name))
            return None if row is None else _account(row)

    def proof(self, name: str) -> Proof:
        """What the password of an account is compared with."""
        with self._database.reading() as session:
            return _proof(_row(session, name))

    def add(self, made: Account, password: str, event: AuditEvent) -> None:
        """Keep a new account with the hash of its password. Raises RequestError where the name is taken."""
        columns = {"name": made.name, "display": made.display, "password": password, "must_change": made.must_change}
        none = {"disabled": False, "totp": "", "totp_period": 0, "failures": 0}
        with self._database.writing() as session:
            if not insert_once(session, AccountRow, columns | none | _membership(made)):
                raise RequestError(f"There is an account {made.name!r} already.")
            append(session, [event])

    def set_roles(self, name: str, roles: frozenset[Role], groups: frozenset[str], event: AuditEvent) -> None:
        """Give other roles and groups. Raises PolicyError where no administrator would be left."""
        with self._database.writing() as session:
            row = _changed(session, name, roles=roles, groups=groups)
            for column, text in _membership(Account(name, roles=roles, groups=groups)).items():
                setattr(row, column, text)
            _end_stays(session, name)
            append(session, [event])

    def set_disabled(self, name: str, disabled: bool, event: AuditEvent) -> None:
        """Shut an account, or open it again. Raises PolicyError where no administrator would be left."""
        with self._database.writing() as session:
            _changed(session, name, disabled=disabled).disabled = disabled
            _end_stays(session, name)
            append(session, [event])

    def set_password(self, name: str, password: str, event: AuditEvent, one_time: bool = False) -> None:
        """Keep another hash and end every stay; a one-time password opens the lock and drops the second factor."""
        with self._database.writing() as session:
            row = _row(session, name)
            row.password, row.must_change = password, one_time
            if one_time:
                row.totp, row.failures, row.locked_until = "", 0, None
            _end_stays(session, name)
            append(session, [event])

    def unlock(self, name: str, event: AuditEvent) -> None:
        """Forget the wrong passwords of an account."""
        with self._database.writing() as session:
            row = _row(session, name)
            row.failures, row.locked_until = 0, None
            append(session, [event])

    def set_totp(self, name: str, sealed: str, period: int, event: AuditEvent) -> None:
        """Keep a second factor, or none; the code of `period` is used up."""
        with self._database.writing() as session:
            row = _row(session, name)
            row.totp, row.totp_period = sealed, period
            append(session, [event])

    def end_stays(self, name: str, event: AuditEvent) -> None:
        """Sign an account out of every browser."""
        with self._database.writing() as session:
            _row(session, name)
            _end_stays(session, name)
            append(session, [event])

    def try_in(self, name: str, address: str, now: datetime, rules: Rules) -> Attempt | None:
        """Count a try for a name and from an address; None where the address may not try now, number 0 where the
        name may not. Old tries are forgotten.
        """
        with self._database.writing() as session:
            session.execute(delete(TryRow).where(TryRow.at <= now - timedelta(minutes=rules.lock_minutes)))
            count = session.scalar(select(func.count()).where(TryRow.address == address)) or 0
            row = session.scalar(select(AccountRow).where(AccountRow.name == name).with_for_update())
            lock = accounts.tried(Lock() if row is None else _lock(row), now, rules)
            if count >= accounts.ADDRESS_TRIES * rules.tries:
                return None
            made = TryRow(address=address, at=now)
            session.add(made)
            if lock is None:
                return Attempt(0, None)
            if row is not None:
                row.failures, row.locked_until = lock.failures, lock.until
            session.flush()
            return Attempt(made.seq, None if row is None or row.disabled else _proof(row))

    def tell(self, event: AuditEvent) -> None:
        """Tell of what changes no account: a try that failed, somebody whom a service has signed in."""
        with self._database.writing() as session:
            append(session, [event])

    def enter(self, attempt: int, stay: Stay, token: str, period: int, event: AuditEvent) -> bool:
        """Sign in under the fingerprint of a token; False where the code of `period` was used meanwhile (0: none)."""
        name = stay.account.name
        with self._database.writing() as session:
            row = _row(session, name)
            if period and period <= row.totp_period:
                return False
            row.totp_period = period or row.totp_period
            row.failures, row.locked_until, row.seen_at = 0, None, stay.seen_at
            session.execute(delete(TryRow).where(TryRow.seq == attempt))
            session.add(StayRow(token=token, account=name, began_at=stay.began_at, seen_at=stay.seen_at))
            append(session, [event])
            return True

    def renew_hash(self, name: str, old: str, new: str) -> None:
        """Keep the same password under a stronger hash, unless it has changed meanwhile."""
        renewed = update(AccountRow).where(AccountRow.name == name, AccountRow.password == old).values(password=new)
        with self._database.writing() as session:
            session.execute(renewed)

    def stay(self, token: str) -> Stay | None:
        """Who is signed in under the fingerprint of a token, however long ago."""
        query = select(StayRow, AccountRow).join(AccountRow, AccountRow.name == StayRow.account)
        with self._database.reading() as session:
            found = session.execute(query.where(StayRow.token == token)).first()
            return None if found is None else Stay(_account(found[1]), found[0].began_at, found[0].seen_at)

    def touch(self, token: str, now: datetime) -> None:
        """Say that the owner of a token has just done something."""
        with self._database.writing() as session:
            name = session.scalar(
                update(StayRow).where(StayRow.token == token).values(seen_at=now).returning(StayRow.account)
            )
            session.execute(update(AccountRow).where(AccountRow.name == name).values(seen_at=now))

    def leave(self, token: str, event: AuditEvent | None) -> None:
        """End one stay; without an event because its time is over."""
        with self._database.writing() as session:
            session.execute(delete(StayRow).where(StayRow.token == token))
            if event is not None:
                append(session, [event])

    def forget_stays(self, before: datetime) -> None:
        """Drop the stays that began before a time: they have ended in any case."""
        with self._database.writing() as session:
            session.execute(delete(StayRow).where(StayRow.began_at < before))


def _row(session: Session, name: str) -> AccountRow:
    row = session.scalar(select(AccountRow).where(AccountRow.name == name).with_for_update())
    if row is None:
        raise StoreError(f"There is no account {name!r}.")
    return row


def _changed(
    session: Session,
    name: str,
    roles: frozenset[Role] | None = None,
    groups: frozenset[str] | None = None,
    disabled: bool | None = None,
) -> AccountRow:
    """The row of an account that may change so; all rows are locked, so that two changes cannot both be the last."""
    rows = {row.name: row for row in session.scalars(select(AccountRow).order_by(AccountRow.seq).with_for_update())}
    if name not in rows:
        raise StoreError(f"There is no account {name!r}.")
    before = _account(rows[name])
    after = replace(
        before,
        roles=before.roles if roles is None else roles,
        groups=before.groups if groups is None else groups,
        disabled=before.disabled if disabled is None else disabled,
    )
    if Role.ADMINISTRATOR in before.roles and not before.disabled:
        accounts.keeps_an_administrator(map(_account, rows.values()), after)
    return rows[name]


def _end_stays(session: Session, name: str) -> None:
    session.execute(delete(StayRow).where(StayRow.account == name))


def _membership(account: Account) -> dict[str, str]:
    return {"roles": json.dumps(sorted(account.roles)), "groups": json.dumps(sorted(account.groups))}


def _lock(row: AccountRow) -> Lock:
    return Lock(row.failures, row.locked_until)


def _proof(row: AccountRow) -> Proof:
    return Proof(_account(row), row.password, row.totp, row.totp_period)


def _account(row: AccountRow) -> Account:
    return Account(
        name=row.name,
        display=row.display,
        roles=frozenset(map(Role, json.loads(row.roles))),
        groups=frozenset(json.loads(row.groups)),
        disabled=row.disabled,
        must_change=row.must_change,
        has_totp=bool(row.totp),
        lock=_lock(row),
        seen_at=row.seen_at,
    )

"""The tables of those who sign in: accounts, browsers that are signed in, and passwords that were tried."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from synth.store.tables import ID_LENGTH, Base


class AccountRow(Base):
    """Somebody who may sign in. The password is an argon2id hash, the second factor encrypted."""

    __tablename__ = "accounts"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    display: Mapped[str] = mapped_column(Text)
    roles: Mapped[str] = mapped_column(Text)  # JSON list
    groups: Mapped[str] = mapped_column("member_of", Text)  # JSON list; `groups` is a reserved word
    password: Mapped[str] = mapped_column(Text)
    must_change: Mapped[bool]
    disabled: Mapped[bool]
    totp: Mapped[str] = mapped_column(Text)  # empty without a second factor
    totp_period: Mapped[int] = mapped_column(BigInteger)  # the last one whose code was used
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]


class StayRow(Base):
    """One browser that is signed in, by the sha256 of its token."""

    __tablename__ = "sign_ins"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    token: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    account: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("accounts.name"), index=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class TryRow(Base):
    """One password that was tried from an address and has not proved right."""

    __tablename__ = "sign_in_tries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    address: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    at: Mapped[datetime] = mapped_column("tried_at", index=True)

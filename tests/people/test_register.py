"""The register on a real store: who is let in, who is not, what is told, and what is never written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher

from synth.errors import PolicyError, RequestError, StoreError
from synth.governance import passwords
from synth.governance.accounts import Account, fingerprint
from synth.governance.roles import Role, User
from synth.governance.rules import Rules
from synth.people import Register
from synth.store import Store
from tests.people.at_the_door import BOSS, HERE, PHRASE, Clock, register_of, with_account

WRONG = "Name, password or code is wrong, or there were too many tries; after 5 wrong ones wait 15 minutes."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def register(store: Store, clock: Clock) -> Register:
    return register_of(store, clock)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(PolicyError) as error:
        call()
    return str(error.value)


def told(store: Store) -> list[tuple[str, str, str]]:
    """Who did what to whom, oldest first."""
    return [(event.who, event.action, event.subject) for event in reversed(store.events())]


def test_who_signs_in_is_known_until_signing_out(register: Register, store: Store) -> None:
    with_account(register, "ada", Role.TRAINEE, Role.EDUCATOR)
    token = register.sign_in("Ada ", PHRASE, "", HERE)
    stay = register.stay(token)
    assert stay is not None
    assert stay.account.user() == User("ada", frozenset({Role.TRAINEE, Role.EDUCATOR}))
    assert len(token) == 64
    register.sign_out(token)
    assert register.stay(token) is None
    register.sign_out(token)
    assert told(store) == [
        ("boss", "account.add", "ada"),
        ("ada", "account.sign_in", "ada"),
        ("ada", "account.sign_out", "ada"),
    ]


def test_every_sign_in_has_a_token_of_its_own(register: Register) -> None:
    with_account(register)
    tokens = {register.sign_in("ada", PHRASE, "", HERE) for _ in range(3)}
    assert len(tokens) == 3
    assert all(register.stay(token) is not None for token in tokens)


def test_whatever_is_wrong_the_sentence_is_the_same(register: Register, store: Store) -> None:
    with_account(register)
    with_account(register, "eve")
    register.set_disabled("eve", True, BOSS)
    for name, password in (("ada", "wrong"), ("nobody", PHRASE), ("eve", PHRASE), ("../", PHRASE), ("ada", "x" * 9999)):
        assert refused(lambda name=name, password=password: register.sign_in(name, password, "", HERE)) == WRONG
    assert [subject for _, action, subject in told(store) if action == "account.sign_in_refused"] == [
        "ada", "unknown", "unknown", "unknown", "ada",
    ]  # fmt: skip


def test_five_wrong_passwords_lock_the_right_one_out_for_a_while(register: Register, clock: Clock) -> None:
    with_account(register)
    for _ in range(5):
        refused(lambda: register.sign_in("ada", "wrong", "", HERE))
    assert refused(lambda: register.sign_in("ada", PHRASE, "", "198.51.100.1")) == WRONG
    clock.passes(minutes=14)
    assert refused(lambda: register.sign_in("ada", PHRASE, "", HERE)) == WRONG
    clock.passes(minutes=1)
    assert register.stay(register.sign_in("ada", PHRASE, "", HERE)) is not None


def test_a_locked_name_and_an_unknown_one_cost_the_same_look(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_account(register)
    for _ in range(5):
        refused(lambda: register.sign_in("ada", "wrong", "", HERE))
    looked: list[str] = []
    fits = passwords.fits
    monkeypatch.setattr(passwords, "fits", lambda kept, given: looked.append(kept) or fits(kept, given))
    for name in ("ada", "nobody", "../"):
        refused(lambda name=name: register.sign_in(name, PHRASE, "", "198.51.100.1"))
    assert looked == ["", "", ""]


def test_four_wrong_ones_and_a_right_one_begin_anew(register: Register) -> None:
    with_account(register)
    for _ in range(3):
        for _ in range(4):
            refused(lambda: register.sign_in("ada", "wrong", "", HERE))
        register.sign_in("ada", PHRASE, "", HERE)


def test_an_administrator_opens_the_lock(register: Register) -> None:
    with_account(register)
    for _ in range(5):
        refused(lambda: register.sign_in("ada", "wrong", "", HERE))
    register.unlock("ada", BOSS)
    assert register.sign_in("ada", PHRASE, "", HERE)


def test_twenty_wrong_ones_from_one_address_lock_the_address_not_the_others(register: Register) -> None:
    with_account(register)
    for i in range(20):
        refused(lambda i=i: register.sign_in(f"nobody{i}", "wrong", "", "2001:db8::1"))
    assert refused(lambda: register.sign_in("ada", PHRASE, "", "2001:db8::2")) == WRONG
    assert register.sign_in("ada", PHRASE, "", "2001:db8:0:1::1")


def test_tries_are_kept_for_the_time_of_the_lock_only(
    register: Register, clock: Clock, urls: tuple[str, str], tmp_path: Path
) -> None:
    for i in range(60):
        refused(lambda i=i: register.sign_in(f"nobody{i}", "wrong", "", f"192.0.2.{i % 3}"))
    assert rows(tmp_path, "sign_in_tries") == 60
    clock.passes(minutes=16)
    refused(lambda: register.sign_in("nobody", "wrong", "", HERE))
    assert rows(tmp_path, "sign_in_tries") == 1


def rows(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / "synth.db") as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return count


def test_twenty_tries_at_once_are_not_more_than_five(register: Register, store: Store) -> None:
    with_account(register)
    with ThreadPoolExecutor(20) as crowd:
        results = list(crowd.map(lambda i: refused(lambda: register.sign_in("ada", f"w{i}", "", HERE)), range(20)))
    assert results == [WRONG] * 20
    assert len([1 for _, action, _ in told(store) if action == "account.sign_in_refused"]) == 5


def test_a_stay_ends_after_its_hours_and_when_left_alone(register: Register, clock: Clock) -> None:
    with_account(register)
    token = register.sign_in("ada", PHRASE, "", HERE)
    for _ in range(23):
        clock.passes(minutes=31)
        register.touch(token)
        assert register.stay(token) is not None
    clock.passes(minutes=7)
    assert register.stay(token) is None, "twelve hours have gone"
    token = register.sign_in("ada", PHRASE, "", HERE)
    clock.passes(minutes=60)
    assert register.stay(token) is None, "an hour without a touch"
    register.touch(token)
    assert register.stay(token) is None


def test_another_process_ends_a_stay_within_five_seconds(store: Store, clock: Clock) -> None:
    here, there = register_of(store, clock), register_of(store, clock)
    with_account(here)
    token = here.sign_in("ada", PHRASE, "", HERE)
    assert here.stay(token) is not None
    there.sign_out(token)
    clock.passes(seconds=4)
    assert here.stay(token) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda register: register.change("ada", frozenset({Role.EDUCATOR}), frozenset(), BOSS),
        lambda register: register.set_disabled("ada", True, BOSS),
        lambda register: register.reset("ada", BOSS),
        lambda register: register.end_stays("ada", BOSS),
        lambda register: register.change_password("ada", PHRASE, "another harmless phrase", HERE),
    ],
    ids=["roles", "disabled", "reset", "ended", "password"],
)
def test_a_change_of_the_account_ends_every_stay(register: Register, change: Callable[[Register], object]) -> None:
    with_account(register)
    tokens = [register.sign_in("ada", PHRASE, "", HERE) for _ in range(2)]
    assert all(map(register.stay, tokens))
    change(register)
    assert [register.stay(token) for token in tokens] == [None, None]


def test_a_new_account_has_a_password_that_must_be_changed(register: Register) -> None:
    once = register.add(Account("tom", roles=frozenset({Role.TRAINEE})), BOSS)
    token = register.sign_in("tom", once, "", HERE)
    stay = register.stay(token)
    assert stay is not None and stay.account.must_change
    again = register.change_password("tom", once, PHRASE, HERE)
    stay = register.stay(again)
    assert stay is not None and not stay.account.must_change
    assert register.stay(token) is None
    assert refused(lambda: register.sign_in("tom", once, "", HERE)) == WRONG


def test_a_reset_gives_a_new_password_once_and_opens_lock_and_second_factor(register: Register, clock: Clock) -> None:
    with_account(register)
    with_second_factor(register, clock)
    for _ in range(5):
        refused(lambda: register.sign_in("ada", "wrong", "", HERE))
    once = register.reset("ada", BOSS)
    assert register.stay(register.sign_in("ada", once, "", HERE)) is not None
    assert not register.accounts()[0].has_totp


def test_a_password_is_not_changed_without_the_old_one_or_to_a_bad_one(register: Register) -> None:
    with_account(register)
    assert refused(lambda: register.change_password("ada", "wrong", "another harmless phrase", HERE)) == WRONG
    for new, words in ((PHRASE, "is the old one"), ("short", "at least 12"), ("I am ada, today", "")):
        if words:
            with pytest.raises(RequestError, match=words):
                register.change_password("ada", PHRASE, new, HERE)
    register.sign_in("ada", PHRASE, "", HERE)


def with_second_factor(register: Register, clock: Clock, name: str = "ada") -> str:
    secret = register.begin_second_factor(name)
    register.keep_second_factor(name, secret, pyotp.TOTP(secret).at(clock.now), PHRASE)
    clock.passes(seconds=60)
    return secret


def test_a_second_factor_is_asked_for_from_then_on_and_each_code_counts_once(register: Register, clock: Clock) -> None:
    with_account(register)
    secret = with_second_factor(register, clock)
    code = pyotp.TOTP(secret).at(clock.now)
    for wrong in ("", "000000", pyotp.TOTP(secret).at(clock.now - timedelta(seconds=60))):
        assert refused(lambda wrong=wrong: register.sign_in("ada", PHRASE, wrong, HERE)) == WRONG
    assert register.sign_in("ada", PHRASE, code, HERE)
    assert refused(lambda: register.sign_in("ada", PHRASE, code, HERE)) == WRONG
    clock.passes(seconds=30)
    assert register.sign_in("ada", PHRASE, pyotp.TOTP(secret).at(clock.now), HERE)


def test_one_code_lets_one_of_two_in_at_once(register: Register, clock: Clock) -> None:
    with_account(register)
    code = pyotp.TOTP(with_second_factor(register, clock)).at(clock.now)

    def enter(_: int) -> bool:
        try:
            return bool(register.sign_in("ada", PHRASE, code, HERE))
        except PolicyError:
            return False

    with ThreadPoolExecutor(4) as crowd:
        assert sum(crowd.map(enter, range(4))) == 1


def test_a_second_factor_needs_code_and_password_and_is_not_replaced(register: Register, clock: Clock) -> None:
    with_account(register)
    secret = register.begin_second_factor("ada")
    code = pyotp.TOTP(secret).at(clock.now)
    with pytest.raises(RequestError, match="The code does not fit"):
        register.keep_second_factor("ada", secret, "000000", PHRASE)
    assert refused(lambda: register.keep_second_factor("ada", secret, code, "wrong")) == WRONG
    register.keep_second_factor("ada", secret, code, PHRASE)
    for call in (
        lambda: register.begin_second_factor("ada"),
        lambda: register.keep_second_factor("ada", secret, code, PHRASE),
    ):
        assert refused(call) == "ada has a second factor; an administrator can reset the account."


def test_another_role_is_given_by_another_administrator_and_one_remains(register: Register) -> None:
    with_account(register, "boss", Role.ADMINISTRATOR)
    with_account(register, "ada")
    both = frozenset({Role.ADMINISTRATOR, Role.RADIOLOGIST})
    assert "another administrator must" in refused(lambda: register.change("boss", both, frozenset(), BOSS))
    assert "the last administrator" in refused(lambda: register.set_disabled("boss", True, BOSS))
    ada = User("ada", frozenset({Role.ADMINISTRATOR}))
    assert "the last administrator" in refused(
        lambda: register.change("boss", frozenset({Role.TRAINEE}), frozenset(), ada)
    )
    register.change("ada", both, frozenset({"night shift"}), BOSS)
    register.change("boss", frozenset({Role.TRAINEE}), frozenset(), ada)
    assert [(one.name, one.roles, one.groups) for one in register.accounts()] == [
        ("ada", both, frozenset({"night shift"})),
        ("boss", frozenset({Role.TRAINEE}), frozenset()),
    ]


def test_a_name_is_given_once_and_an_account_has_a_role(register: Register) -> None:
    with_account(register)
    with pytest.raises(RequestError, match=r"^There is an account 'ada' already\.$"):
        register.add(Account("ADA", roles=frozenset({Role.TRAINEE})), BOSS)
    with pytest.raises(RequestError, match="has no role"):
        register.add(Account("tom"), BOSS)
    with pytest.raises(RequestError, match="would have no role"):
        register.change("ada", frozenset(), frozenset(), BOSS)
    for call in (
        lambda: register.reset("nobody", BOSS),
        lambda: register.change("nobody", frozenset({Role.TRAINEE}), frozenset(), BOSS),
        lambda: register.set_disabled("nobody", True, BOSS),
        lambda: register.unlock("nobody", BOSS),
        lambda: register.end_stays("nobody", BOSS),
    ):
        with pytest.raises(StoreError, match=r"^There is no account 'nobody'\.$"):
            call()


def test_no_password_token_or_secret_is_in_the_database_the_events_or_the_log(
    register: Register, store: Store, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with_account(register)
    once = register.add(Account("tom", roles=frozenset({Role.TRAINEE})), BOSS)
    secret = with_second_factor(register, clock)
    token = register.sign_in("ada", PHRASE, pyotp.TOTP(secret).at(clock.now), HERE)
    refused(lambda: register.sign_in("my password in the wrong field", "hunter2hunter2", "", HERE))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("synth.db*"))
    assert fingerprint(token).encode() in kept
    for hidden in (PHRASE, once, secret, token, "my password in the wrong field", "hunter2hunter2"):
        assert hidden.encode() not in kept
        assert hidden not in caplog.text
        assert hidden not in str(store.events())


def test_a_change_and_its_event_are_kept_together_or_not_at_all(
    register: Register, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_account(register)
    token = register.sign_in("ada", PHRASE, "", HERE)
    before = register.accounts()

    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr("synth.store.people.append", full)
    for change in (
        lambda: register.reset("ada", BOSS),
        lambda: register.set_disabled("ada", True, BOSS),
        lambda: register.change("ada", frozenset({Role.ADMINISTRATOR}), frozenset(), BOSS),
        lambda: register.add(Account("tom", roles=frozenset({Role.TRAINEE})), BOSS),
        lambda: register.sign_out(token),
        lambda: register.end_stays("ada", BOSS),
    ):
        with pytest.raises(StoreError, match="disk is full"):
            change()
    assert register.accounts() == before
    assert register.stay(token) is not None


def test_a_hash_is_renewed_when_its_parameters_are_of_yesterday(
    register: Register, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_account(register)
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    assert "m=8," in store.people.proof("ada").password
    register.sign_in("ada", PHRASE, "", HERE)
    assert "m=64," in store.people.proof("ada").password
    register.sign_in("ada", PHRASE, "", HERE)


def test_rules_of_the_house_hold(store: Store, clock: Clock) -> None:
    register = register_of(store, clock, replace(Rules(), tries=1, lock_minutes=1, password_length=30))
    with pytest.raises(RequestError, match="at least 30"):
        with_account(register)

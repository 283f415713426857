"""Accounts on PostgreSQL: the same locks, also where many sign in at once."""

from __future__ import annotations

import pytest

from synth.errors import PolicyError
from synth.governance.accounts import Account
from synth.governance.roles import Role, User
from synth.store import Store
from tests.people.at_the_door import BOSS, HERE, PHRASE, Clock, register_of, with_account
from tests.sittings import at_once

pytestmark = pytest.mark.server


def test_twenty_tries_at_once_are_not_more_than_five(store: Store) -> None:
    clock = Clock()
    register = register_of(store, clock)
    with_account(register)

    def guess(i: int) -> None:
        with pytest.raises(PolicyError):
            register.sign_in("ada", f"wrong {i}", "", HERE)

    at_once(guess, 20)
    refused = [event for event in store.events() if event.action == "account.sign_in_refused"]
    assert len(refused) == 5
    clock.passes(minutes=15)
    token = register.sign_in("ada", PHRASE, "", HERE)
    assert (stay := register.stay(token)) is not None and stay.account.name == "ada"
    register.sign_out(token)
    assert register.stay(token) is None


def test_two_administrators_cannot_remove_each_other_at_once(store: Store) -> None:
    register = register_of(store, Clock())
    names = ("ada", "eve")
    for name in names:
        with_account(register, name, Role.ADMINISTRATOR)

    refused: list[str] = []

    def remove(i: int) -> None:
        try:
            register.set_disabled(names[i], True, User(names[1 - i]))
        except PolicyError as error:
            refused.append(str(error))

    at_once(remove, 2)
    assert [text.partition(" is ")[2] for text in refused] == ["the last administrator; make another one first."]
    assert sorted(one.disabled for one in register.accounts()) == [False, True]


def test_groups_roles_and_passwords_come_back_as_they_were_given(store: Store) -> None:
    register = register_of(store, Clock())
    once = register.add(Account("jörg", "Jörg Ä", frozenset({Role.EDUCATOR}), frozenset({"ärzte"})), BOSS)
    found = register.accounts()
    assert found == [Account("jörg", "Jörg Ä", frozenset({Role.EDUCATOR}), frozenset({"ärzte"}), must_change=True)]
    assert register.change_password("jörg", once, PHRASE, HERE)

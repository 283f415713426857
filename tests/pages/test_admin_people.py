"""Admin, People, and what a page does with whoever is signed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from argon2 import PasswordHasher
from streamlit.testing.v1 import AppTest

from synth.governance import passwords
from synth.governance.accounts import Account
from synth.governance.roles import Role, User
from synth.store.trail import Sought
from synth.ui import house, sign_in
from synth.ui.administration import TABS

ROOT = Path(__file__).resolve().parents[2]
PHRASE = "a long harmless phrase"
BOSS = User("boss", frozenset({Role.ADMINISTRATOR}))

Visit = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def accounts(app: Visit, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A server with accounts; the function signs somebody in, in the browser of this test."""
    monkeypatch.setenv("SYNTH_AUTH", "accounts")
    st.cache_resource.clear()
    for name, role in (("boss", Role.ADMINISTRATOR), ("tom", Role.TRAINEE), ("eve", Role.EDUCATOR)):
        house.register().add_with(Account(name, roles=frozenset({role})), PHRASE, BOSS)

    def enter(name: str) -> str:
        token = house.register().sign_in(name, PHRASE, "", "192.0.2.7")
        monkeypatch.setattr(sign_in, "token", lambda: token)
        return token

    return enter


def admin(visit: Visit, tab: str = "people") -> AppTest:
    page = visit().switch_page("pages/admin.py")
    page.query_params["tab"] = tab
    return page.run()


def button(page: AppTest, label: str) -> AppTest:
    return next(one for one in page.button if one.label == label).click().run()


def test_an_administrator_adds_somebody_whose_password_is_shown_once(
    app: Visit, accounts: Callable[[str], str]
) -> None:
    accounts("boss")
    page = admin(app)
    page.text_input[0].set_value("Nora")
    page = button(page, "Add account")
    assert not page.exception
    assert page.success[0].value.startswith("The one-time password of nora, shown only now")
    once = page.code[0].value
    assert house.register().sign_in("nora", once, "", "192.0.2.7")
    assert once not in str(house.store().events())
    again = page.run()
    assert (len(again.success), [one.value for one in again.code]) == (0, [])


def test_a_name_that_is_taken_or_cannot_be_is_one_sentence(app: Visit, accounts: Callable[[str], str]) -> None:
    accounts("boss")
    for name, sentence in (("tom", "There is an account 'tom' already."), ("a b", "'a b' cannot be a name; ")):
        page = admin(app)
        page.text_input[0].set_value(name)
        assert button(page, "Add account").error[0].value.startswith(sentence)


def test_an_administrator_disables_and_enables_and_may_not_change_the_own_roles(
    app: Visit, accounts: Callable[[str], str]
) -> None:
    accounts("boss")
    page = admin(app)
    assert page.selectbox(key="account").value == "boss"
    assert "another administrator must" in button(page, "Change roles and groups").error[0].value
    page = admin(app)
    assert "the last administrator" in button(page, "Disable").error[0].value
    page = admin(app)
    page.selectbox(key="account").set_value("tom").run()
    button(page, "Disable")
    assert [one.disabled for one in house.register().accounts()] == [False, False, True]
    (told,) = house.store().trail.page(Sought(action="account.disable"), 9)  # the first visit's image may end meanwhile
    assert (told.who, told.subject) == ("boss", "tom")


@pytest.mark.parametrize("name", ["tom", "eve"])
def test_others_are_told_that_accounts_are_not_theirs(app: Visit, accounts: Callable[[str], str], name: str) -> None:
    accounts(name)
    page = admin(app)
    (refusal,) = [one.value for one in page.error]
    assert refusal.startswith(f"The administration has nothing for {name}, who is ")
    assert len(page.text_input) == len(page.dataframe) == 0


def test_a_session_that_has_ended_runs_nothing_but_its_sentence(app: Visit, accounts: Callable[[str], str]) -> None:
    token = accounts("tom")
    page = app()
    assert any("Signed in as **tom**" in one.value for one in page.sidebar.caption)
    house.register().sign_out(token)
    page.run()
    assert [one.value for one in page.error] == ["Your session has ended; sign in to go on."]
    assert len(page.button) == len(page.text_input) == 0


def test_what_one_person_left_open_is_not_for_the_next(app: Visit, accounts: Callable[[str], str]) -> None:
    accounts("tom")
    page = app()
    page.session_state["reader"] = "somebody"
    accounts("eve")
    page.run()
    assert "reader" not in page.session_state
    assert page.session_state["person"] == "eve"


def test_trainees_read_under_their_own_name_and_educators_under_any(app: Visit, accounts: Callable[[str], str]) -> None:
    for name, shown in (("tom", []), ("eve", ["ada"])):
        accounts(name)
        page = app().switch_page("pages/progress.py")
        page.query_params["reader"] = "ada"
        page.run()
        assert [one.value for one in page.text_input if "pseudonym" in one.label] == shown


def test_where_nobody_signs_in_the_page_says_so(app: Visit) -> None:
    page = admin(app)
    assert page.info[0].value.startswith("Nobody signs in here: SYNTH_AUTH is local.")
    assert not any("Signed in as" in one.value for one in page.sidebar.caption)


def test_files_are_made_in_a_thread_that_knows_of_no_session(
    app: Visit, accounts: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download button calls for its file when it is pressed, outside any run of a page: nobody is signed in there."""
    accounts("boss")
    pressed: dict[str, Callable[[], bytes]] = {}

    def kept(label: str, data: object, *_: object, **named: object) -> bool:
        if callable(data) and not named.get("disabled"):
            pressed[label] = data
        return False

    monkeypatch.setattr(st, "download_button", kept)
    for name in TABS:
        assert not admin(app, name).exception
    monkeypatch.setattr(sign_in, "token", lambda: "")
    assert {"Export as CSV", "Export as JSON lines"} <= set(pressed)
    assert all(made() for made in pressed.values())

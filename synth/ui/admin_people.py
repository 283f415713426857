"""Administration, People: accounts made and changed, what each role may do, and the quotas."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from synth.governance.accounts import Account, account_name
from synth.governance.calls import CALLS
from synth.governance.roles import MAY, Permission, Role, require
from synth.ui import resources, session, views

ONCE = "one-time-password"  # in the session state, until it was shown


def panel() -> None:
    """Accounts for administrators; the tables for whoever may look after the house."""
    person = session.person()
    require(person, Permission.PEOPLE)
    if resources.settings().auth == "local":
        st.info("Nobody signs in here: SYNTH_AUTH is local. What is made now counts with SYNTH_AUTH=accounts.")
    _shown_once()
    accounts = resources.register().accounts()
    _table(accounts)
    new, change = st.columns(2, gap="large")
    with new:
        _add()
    with change:
        _change(accounts)
    _quota()
    _permissions()


def _table(accounts: list[Account]) -> None:
    if not accounts:
        st.caption("There is no account yet.")
        return
    now = datetime.now(UTC)
    rows = [
        {
            "Name": one.name,
            "Called": one.display,
            "Roles": ", ".join(sorted(one.roles)),
            "Groups": ", ".join(sorted(one.groups)),
            "State": _state(one, now),
            "Second factor": one.has_totp,
            "Last seen": one.seen_at,
        }
        for one in accounts
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="accounts")


def _state(account: Account, now: datetime) -> str:
    if account.disabled:
        return "disabled"
    if account.lock.holds(now):
        return f"locked until {account.lock.until:%H:%M} UTC"
    return "must change the password" if account.must_change else "open"


def _add() -> None:
    with st.form("add-account", clear_on_submit=True):
        st.markdown("**New account**")
        name = st.text_input("Name to sign in with", autocomplete="off")
        display = st.text_input("Called", autocomplete="off")
        roles = st.multiselect("Roles", list(Role), [Role.TRAINEE])
        groups = st.text_input("Groups, separated by commas")
        if st.form_submit_button("Add account"):
            made = Account(name, display, frozenset(roles), frozenset(groups.split(",")))
            with views.show_error():
                _once(account_name(name), resources.register().add(made, by=session.person()))


def _change(accounts: list[Account]) -> None:
    if not accounts:
        return
    named = {one.name: one for one in accounts}
    account = named[st.selectbox("Account", list(named), key="account")]
    with st.form(f"change-{account.name}"):
        roles = st.multiselect("Roles", list(Role), sorted(account.roles), key=f"roles-{account.name}")
        groups = st.text_input("Groups", ", ".join(sorted(account.groups)), key=f"groups-{account.name}")
        if st.form_submit_button("Change roles and groups"):
            given = frozenset(map(Role, roles)), frozenset(groups.split(","))
            with views.show_error():
                resources.register().change(account.name, *given, by=session.person())
                st.rerun()
    with st.container(horizontal=True), views.show_error():
        _buttons(account)


def _buttons(account: Account) -> None:
    register, by = resources.register(), session.person()
    if st.button("Reset password"):
        _once(account.name, register.reset(account.name, by=by))
    if st.button("Enable" if account.disabled else "Disable"):
        register.set_disabled(account.name, not account.disabled, by=by)
        st.rerun()
    if st.button("End sessions"):
        register.end_stays(account.name, by=by)
        st.toast(f"{account.name} is signed out everywhere.")
    if account.lock.failures and st.button("Unlock"):
        register.unlock(account.name, by=by)
        st.rerun()


def _once(name: str, password: str) -> None:
    st.session_state[ONCE] = (name, password)
    st.rerun()


def _shown_once() -> None:
    if found := st.session_state.pop(ONCE, None):
        name, password = found
        st.success(
            f"The one-time password of {views.escaped(name)}, shown only now; it must be changed at the sign-in:"
        )
        st.code(password, language=None)


def _quota() -> None:
    rules = resources.rules()
    hourly = rules.hourly(resources.settings().auth != "local")
    st.caption(
        f"Each user may ask for {'any number of' if hourly is None else hourly} images an hour. "
        f"A session lasts {rules.session_hours} hours, {rules.idle_minutes} minutes without use. "
        f"{rules.tries} wrong passwords lock a name for {rules.lock_minutes} minutes. "
        "All of it stands in governance.toml."
    )


def _permissions() -> None:
    with st.expander("What each role may do"):
        rows = [{"May": may, **{role: role in roles for role in Role}} for may, roles in MAY.items()]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    with st.expander("What each call needs"):
        calls = [{"Call": path, "Needs": call.needs, "And": _condition(path)} for path, call in sorted(CALLS.items())]
        st.dataframe(pd.DataFrame(calls), hide_index=True, width="stretch")


def _condition(path: str) -> str:
    check = CALLS[path].check
    return "" if check is None else "the own things or name only" if check.__doc__ is None else check.__doc__

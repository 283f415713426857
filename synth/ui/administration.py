"""The administration: one tab for each duty, and only those of whoever looks."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from synth.errors import PolicyError
from synth.governance.roles import Permission
from synth.ui import (
    admin_audit,
    admin_documents,
    admin_models,
    admin_monitor,
    admin_people,
    admin_protocols,
    admin_release,
    session,
    views,
)

TABS: dict[str, tuple[frozenset[Permission], Callable[[], None]]] = {  # who may any of these has the tab
    "Monitoring": (frozenset({Permission.MONITOR}), admin_monitor.panel),
    "People": (frozenset({Permission.PEOPLE}), admin_people.panel),
    "Release": (frozenset({Permission.WITHDRAW, Permission.RELEASE}), admin_release.panel),
    "Protocols": (frozenset({Permission.PROTOCOLS, Permission.RESEARCH}), admin_protocols.panel),
    "Audit trail": (frozenset({Permission.AUDIT}), admin_audit.panel),
    "Models": (frozenset({Permission.MONITOR}), admin_models.panel),
    "Documents": (frozenset({Permission.MONITOR}), admin_documents.panel),
}


def show() -> None:
    """The tabs of this person. Raises PolicyError for those who have none."""
    person = session.person()
    mine = {title: panel for title, (needs, panel) in TABS.items() if any(map(person.may, needs))}
    if not mine:
        roles = ", ".join(sorted(person.roles)) or "no role"
        raise PolicyError(f"The administration has nothing for {person.name}, who is {roles}.")
    for place, panel in zip(st.tabs(list(mine)), mine.values(), strict=True):
        with place, views.show_error():
            panel()

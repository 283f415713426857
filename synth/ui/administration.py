"""The administration: one tab for each duty, and only those of whoever looks."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from synth.errors import PolicyError
from synth.governance.roles import Permission
from synth.ui import admin_audit, admin_documents, admin_models, admin_monitor, session, views

TABS: dict[str, tuple[Permission, Callable[[], None]]] = {
    "Monitoring": (Permission.MONITOR, admin_monitor.panel),
    "Audit trail": (Permission.AUDIT, admin_audit.panel),
    "Models": (Permission.MONITOR, admin_models.panel),
    "Documents": (Permission.MONITOR, admin_documents.panel),
}


def show() -> None:
    """The tabs of this person. Raises PolicyError for those who have none."""
    person = session.person()
    mine = {title: panel for title, (needs, panel) in TABS.items() if person.may(needs)}
    if not mine:
        roles = ", ".join(sorted(person.roles)) or "no role"
        raise PolicyError(f"The administration has nothing for {person.name}, who is {roles}.")
    for place, panel in zip(st.tabs(list(mine)), mine.values(), strict=True):
        with place, views.show_error():
            panel()

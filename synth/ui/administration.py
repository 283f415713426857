"""The administration: one tab for each duty, and only those of whoever looks."""

from __future__ import annotations

from collections.abc import Callable

from synth.errors import PolicyError
from synth.governance.roles import Permission as P
from synth.ui import (
    admin_audit,
    admin_documents,
    admin_models,
    admin_monitor,
    admin_people,
    admin_protocols,
    admin_release,
    session,
    tabs,
)

# name in the address -> title, who has the tab (whoever may any of these), and what draws it
TABS: dict[str, tuple[str, frozenset[P], Callable[[], None]]] = {
    "monitoring": ("Monitoring", frozenset({P.MONITOR}), admin_monitor.panel),
    "people": ("People", frozenset({P.PEOPLE}), admin_people.panel),
    "release": ("Release", frozenset({P.WITHDRAW, P.RELEASE}), admin_release.panel),
    "protocols": ("Protocols", frozenset({P.PROTOCOLS, P.RESEARCH}), admin_protocols.panel),
    "audit": ("Audit trail", frozenset({P.AUDIT}), admin_audit.panel),
    "models": ("Models", frozenset({P.MONITOR}), admin_models.panel),
    "documents": ("Documents", frozenset({P.MONITOR}), admin_documents.panel),
}


def show() -> None:
    """The tabs of this person. Raises PolicyError for those who have none."""
    person = session.person()
    mine = {name: (title, draw) for name, (title, needs, draw) in TABS.items() if any(map(person.may, needs))}
    if not mine:
        roles = ", ".join(sorted(person.roles)) or "no role"
        raise PolicyError(f"The administration has nothing for {person.name}, who is {roles}.")
    tabs.show(mine, "admin_tab")

"""What images are asked for: education, which needs nothing, or research under a protocol."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from synth.errors import PolicyError
from synth.governance.release import State
from synth.governance.roles import Permission
from synth.types import GenerationRequest, Job
from synth.ui import resources, session

KEY = "purpose"
WHERE = "Made for education. For research ask a governance officer to open a protocol with you as one of its people."


def choose() -> None:
    """The choice, for researchers alone; where they have no open protocol, how to come by one."""
    person = session.person()
    if not person.may(Permission.RESEARCH):
        return
    titles = {protocol.id: protocol.title for protocol in resources.research().protocols(person)}
    if st.session_state.get(KEY) not in (None, "", *titles):
        st.session_state[KEY] = ""  # it ended or expired meanwhile
    if not titles:
        st.caption(WHERE)
        return
    st.selectbox(
        "For",
        ("", *titles),
        format_func=lambda name: f"research under {titles[name]}" if name else "education",
        key=KEY,
        persist_state="session",
    )


def submit(requests: Sequence[GenerationRequest]) -> list[Job]:
    """Queue requests for what was chosen.

    Raises PolicyError where the protocol does not cover them, or the base of an edit was withdrawn.
    """
    _require_bases(requests)
    protocol = st.session_state.get(KEY)
    if protocol:
        return resources.research().submit_all(requests, session.person(), protocol)
    return resources.engine().submit_all(requests, session.user())


def _require_bases(requests: Sequence[GenerationRequest]) -> None:
    """Pass edits whose base may still be used; raises PolicyError."""
    names = [request.edit.origin.partition(":")[2] for request in requests if request.edit]
    for release in resources.store().validation.releases(names).values():
        if release.state is State.WITHDRAWN:
            raise PolicyError(release.words)

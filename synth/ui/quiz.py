"""The reading room: the address says which sitting, invitation or set is open; without any, the lobby."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from synth.ui import quiz_case, quiz_end, quiz_lobby, quiz_place, quiz_seat, resources, views


def show() -> None:
    """What the address asks for."""
    here = quiz_place.place()
    if here.session:
        st.fragment(_sitting)(here.session)
    elif here.seat:
        quiz_seat.show(here.seat)
    else:
        quiz_lobby.show(here)


def _sitting(session_id: str) -> None:
    """The next case of a session, an answered one again, or its end. A fragment: a key runs nothing else."""
    with views.show_error():
        now = datetime.now(UTC)
        sittings = resources.store().sittings
        session = sittings.session(session_id)
        if session.ended_at is None and session.left_s(now) == 0:
            resources.desk(session).end(session, now)
            session = sittings.session(session_id)
        position = quiz_place.position(session)
        if position is None:
            quiz_end.show(session)
            return
        quiz_case.show(session, position)

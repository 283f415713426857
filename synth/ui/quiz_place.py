"""Where the reading room stands, kept in the address: a reload, a new tab or a killed server comes back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from synth.reading.sessions import Answered, Mode, ReadingSession


@dataclass(frozen=True, slots=True)
class Place:
    """What the address names."""

    session: str = ""  # ?session=
    seat: str = ""  # ?seat=, the invitation to a study
    set_code: str = ""  # ?set=, the share code of a case set
    mode: str = ""  # ?mode=, what the lobby offers first


def place() -> Place:
    """What the address asks for."""
    return Place(*(st.query_params.get(key, "") for key in ("session", "seat", "set", "mode")))


def sit(session_id: str, seat: str = "") -> None:
    """Open a session; the next run shows it."""
    reader = st.query_params.get("reader", "")
    wanted = {"session": session_id, "seat": seat, "reader": reader}
    st.query_params.from_dict({key: value for key, value in wanted.items() if value})


def leave() -> None:
    """Back to the lobby, or to the study."""
    kept = {key: st.query_params[key] for key in ("seat", "reader") if key in st.query_params}
    st.query_params.from_dict(kept)


def position(session: ReadingSession) -> int | None:
    """The case on screen, from 0: the one that the address names if it may be seen, else the next; None at the end."""
    undecided = next((k for k, answered in session.answers.items() if second_look(session, answered)), None)
    if undecided is not None:
        return undecided
    following = session.next_position if session.ended_at is None else None
    text = st.query_params.get("case", "")
    named = int(text) - 1 if text.isdigit() and len(text) < 5 else -1
    if not 0 <= named < len(session.dealt):
        return following
    may_look = session.told and (named in session.answers or session.ended_at is not None)
    may_change = session.plan.back and session.ended_at is None
    return named if may_look or may_change else following


def second_look(session: ReadingSession, answered: Answered) -> bool:
    """True while the classifier's opinion is shown and the answer may be changed once."""
    return session.plan.opinion and answered.revised is None and session.ended_at is None


def turn_to(number: int | None) -> None:
    """Show the case at a position; None is the next without an answer."""
    if number is None:
        st.query_params.pop("case", None)
    else:
        st.query_params["case"] = str(number + 1)


def again() -> NoReturn:
    """Run the sitting anew: its fragment alone where that is what runs, else the page."""
    context = get_script_run_ctx()
    st.rerun(scope="fragment" if context and context.fragment_ids_this_run else "app")


def goes_on(session: ReadingSession, now_at: int) -> int | None:
    """The case after the one on screen, where its number must stand in the address; None for the next unanswered."""
    after = now_at + 1
    if session.plan.mode is Mode.EXAM and (session.plan.back or session.ended_at is not None):
        return after if after < session.plan.length else None
    return None

"""Into the bin and back: what several images and one opened image have in common, and the way to undo it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from synth.types import AuditEvent
from synth.ui import resources, session, views

CHOSEN, UNDO = "shelf_chosen", "shelf_undo"


def chosen() -> tuple[str, ...]:
    """The ids of the images that are selected, on whatever page."""
    return tuple(st.session_state.get(CHOSEN, ()))


def choose(ids: Sequence[str]) -> None:
    """Select these and no others."""
    st.session_state[CHOSEN] = tuple(ids)


def move(ids: Sequence[str], into_bin: bool) -> None:
    """Put images into the bin or back, and offer to undo it. An error stands on the page of the next run."""
    with views.show_error():
        _move(ids, into_bin)
        st.session_state[UNDO] = (tuple(ids), into_bin)
        choose(())


def undo_bar() -> None:
    """What was just moved, with the way back."""
    ids, into_bin = st.session_state.get(UNDO, ((), False))
    if not ids:
        return
    told = "1 image" if len(ids) == 1 else f"{len(ids)} images"
    with st.container(horizontal=True, gap="small", vertical_alignment="center", border=True):
        st.markdown(f"{told} moved to the bin." if into_bin else f"{told} put back.", width="content")
        st.button("Undo", key="shelf_undo_move", icon=":material/undo:", on_click=_undone, args=(ids, into_bin))
        st.button("Close", key="shelf_undo_close", type="tertiary", on_click=_forget)


def _undone(ids: Sequence[str], into_bin: bool) -> None:
    with views.show_error():
        _move(ids, not into_bin)
        _forget()


def _forget() -> None:
    st.session_state.pop(UNDO, None)


def _move(ids: Sequence[str], into_bin: bool) -> None:
    action = "library.bin" if into_bin else "library.restore"
    events = [AuditEvent(datetime.now(UTC), session.user(), action, name, "") for name in ids]
    holdings = resources.store().holdings
    (holdings.remove if into_bin else holdings.restore)(ids, events)
    resources.library().refresh()

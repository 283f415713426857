"""What is being fetched, sent or downloaded: progress, stop, how each ended and what became of it."""

from __future__ import annotations

import streamlit as st

from synth.intake.transfers import Stage, Transfer
from synth.ui import resources, shelf_place, views

POLL_S = 0.7
SHOWN = 8
COLOURS = {Stage.DONE: "green", Stage.FAILED: "red", Stage.STOPPED: "orange"}
WORDS = {"retrieve": "Retrieve", "push": "Send", "download": "Download"}
OUTCOMES = {"moved": "sent", "present": "was there before", "failed": "not sent"}


def show(*kinds: str) -> None:
    """The last transfers of these kinds, newest first; polled while one of them lives."""
    live = any(one.live for one in resources.transfers().latest(*kinds))
    st.fragment(_all, run_every=POLL_S if live else None)(kinds, live)


def _all(kinds: tuple[str, ...], was_live: bool) -> None:
    with views.show_error():
        transfers = resources.transfers().latest(*kinds)[:SHOWN]
        if was_live and not any(one.live for one in transfers):
            st.rerun()  # the page shows what has changed, and this fragment stops polling
        for one in transfers:
            with st.container(border=True, gap="xsmall"):
                _one(one)


def _one(one: Transfer) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"{WORDS[one.kind]}: {views.escaped(one.title)}", width="content")
        st.badge(stage_word(one), color=COLOURS.get(one.stage, "blue"))  # type: ignore[arg-type]
        st.space("stretch")
        if one.live and st.button("Stop", key=f"transfer-stop-{one.id}", icon=":material/stop:"):
            resources.transfers().stop(one.id)
        if one.import_id and st.button("See its import", key=f"transfer-import-{one.id}"):
            shelf_place.go(**{"tab": "import", "import": one.import_id, "outcome": None, "page": None})
            st.rerun()  # the whole page, not this fragment
    if one.live:
        st.progress(share(one), text=progress_sentence(one))
    elif one.sentence:
        st.markdown(views.escaped(one.sentence))
    for problem in one.problems[:3]:
        if problem not in one.sentence:
            st.caption(views.escaped(problem))
    if len(one.problems) > 3:
        st.caption(f"and {len(one.problems) - 3} more such sentences.")
    if one.outcomes:
        rows = [{"Image": name, "Outcome": OUTCOMES[state], "Why": why} for name, state, why in one.outcomes]
        st.dataframe(rows, hide_index=True, key=f"transfer-outcomes-{one.id}")


def stage_word(one: Transfer) -> str:
    """Where it stands; one that ended without some of its files is not simply done."""
    return "incomplete" if one.stage is Stage.DONE and one.problems else one.stage.value


def share(one: Transfer) -> float:
    """How far it is, 0-1: by bytes where they are known."""
    done, total = (one.done_bytes, one.total_bytes) if one.total_bytes else (one.done, one.total)
    return min(1.0, done / total) if total else 0.0


def progress_sentence(one: Transfer) -> str:
    """As "12 of 300 files, 4.2 of 96.0 MB"."""
    if one.stage is Stage.WAITING:
        return "Waiting for its turn"
    files = f"{one.done:,} of {one.total:,} files" if one.total is not None else f"{one.done:,} files so far"
    return f"{files}, {one.done_bytes / 1e6:,.1f} of {one.total_bytes / 1e6:,.1f} MB" if one.total_bytes else files

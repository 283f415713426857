"""The Cases page: the sets, a new one, and one opened for review, sharing or results. The address holds the place."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from synth.reading.cases import CaseSet, Standing
from synth.ui import case_form, case_results, case_review, case_share, resources, views

VIEWS = {"review": "Review", "share": "Share", "results": "Results"}


def panel() -> None:
    """The set that the address names, else all of them beside the form of a new one."""
    set_id = st.query_params.get("set")
    if set_id:
        _one(set_id)
        return
    sets, form = st.columns([13, 11], gap="large")
    with sets, views.show_error():
        _all()
    with form, views.show_error():
        made = case_form.show()
        if made:
            go(made)
            st.rerun()


def go(set_id: str | None = None, view: str = "review") -> None:
    """Write the address; the next run shows it."""
    wanted = {"set": set_id or "", "view": view if set_id and view != "review" else ""}
    st.query_params.from_dict({key: value for key, value in wanted.items() if value})


def _all() -> None:
    st.markdown("**Case sets**")
    sets = resources.store().casebook.sets()
    if not sets:
        st.caption(
            "No set yet. Name one beside, choose what it shows, and its cases are drawn while you look through the "
            "first of them; trainees read it by its code."
        )
    for case_set in sets:
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
            with st.container(gap="xxsmall"):
                st.markdown(f"**{views.escaped(case_set.title)}**")
                st.caption(standing_sentence(case_set))
            if case_set.open:
                st.badge("open", color="green")
            st.code(case_set.code, language=None, width="content")
            if st.button("Open", key=f"open-set-{case_set.id}"):
                go(case_set.id)
                st.rerun()


def _one(set_id: str) -> None:
    """Title and standing of a set above the view that is chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if st.button("All sets", icon=":material/arrow_back:", type="tertiary", key="all-sets"):
            go()
            st.rerun()
        case_set = resources.store().casebook.case_set(set_id)
        st.markdown(f"**{views.escaped(case_set.title)}**", width="content")
        st.caption(standing_sentence(case_set), width="content")
        if case_set.open:
            st.badge(f"open, code {case_set.code}", color="green")
        st.space("stretch")
        view = _view(set_id)
    with views.show_error():
        {"review": case_review, "share": case_share, "results": case_results}[view].show(case_set)


def _view(set_id: str) -> str:
    """The chosen view, kept in the address."""
    asked = st.query_params.get("view", "review")
    chosen = st.segmented_control(
        "View",
        VIEWS,
        default=asked if asked in VIEWS else "review",
        required=True,
        format_func=VIEWS.__getitem__,
        key=f"view-{set_id}",
        label_visibility="collapsed",
    )
    if chosen and chosen != asked:
        go(set_id, chosen)
    return chosen or "review"


def standing_sentence(case_set: CaseSet) -> str:
    """How far a set is, as "8 approved, 2 to review, 1 being drawn"."""
    count = Counter(entry.standing for entry in case_set.entries)
    words = {
        Standing.APPROVED: "approved",
        Standing.PROPOSED: "to review",
        Standing.WAITING: "being drawn",
        Standing.REFUSED: "left out",
        Standing.FAILED: "could not be drawn",
    }
    return ", ".join(f"{count[kind]} {word}" for kind, word in words.items() if count[kind]) or "no cases"

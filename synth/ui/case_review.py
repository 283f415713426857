"""Review of a set: the cases as a strip, one of them as a film, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from synth import prompts
from synth.errors import StoreError, SynthError
from synth.reading.cases import CaseSet, Entry, Standing
from synth.ui import case_strip, neighbours, resources, views


def show(case_set: CaseSet) -> None:
    """Strip, film and decision. The strip alone polls while cases are being drawn."""
    if not case_set.entries:
        st.caption("This set has no cases.")
        return
    entry = _chosen(case_set)
    strip, film, decision = st.columns([4, 12, 8], gap="medium")
    drawing = any(other.standing is Standing.WAITING for other in case_set.entries)
    with strip:
        seen = case_strip.standings(case_set)
        st.fragment(case_strip.strip, run_every=views.POLL_S if drawing else None)(case_set.id, entry.id, seen)
    with film, views.show_error():
        case_strip.film(entry)
    with decision, views.show_error():
        _decision(case_set, entry)


def _chosen(case_set: CaseSet) -> Entry:
    """The case of the address, else the first to review, else the first; one that can be seen stays on screen."""
    asked = st.query_params.get("case")
    named = [entry for entry in case_set.entries if entry.id == asked]
    proposed = [entry for entry in case_set.entries if entry.standing is Standing.PROPOSED]
    entry = (named or proposed or list(case_set.entries))[0]
    if not named and entry.standing is not Standing.WAITING:
        st.query_params["case"] = entry.id
    return entry


def _decision(case_set: CaseSet, entry: Entry) -> None:
    """What the case shows, the buttons that decide on it, its words and its place."""
    number = [other.id for other in case_set.entries].index(entry.id) + 1
    word, colour = case_strip.WORDS[entry.standing]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Case {number}** :gray[of {len(case_set.entries)}]", width="content")
        st.badge(word, color=colour)  # type: ignore[arg-type]
    st.markdown(_sentence(entry))
    if entry.problem:
        st.error(entry.problem)
    with views.show_error():
        _buttons(case_set, entry)
    for kind, label, told in (
        ("history", "History", "Shown with the case, as: cough and fever for three days"),
        ("teaching", "Teaching point", "Shown after the answer"),
    ):
        _words(case_set.id, entry, kind, label, told)
    with views.show_error():
        _place(case_set, entry, number)


def _sentence(entry: Entry) -> str:
    """What the case shows, in words."""
    if entry.recipe is not None:
        return prompts.describe(replace(entry.recipe.request, findings=entry.recipe.findings))
    image = next((image for image in resources.library().images if image.id == entry.real), None)
    return neighbours.sentence_of(image) if image else "A real image that the library has no more"


def _buttons(case_set: CaseSet, entry: Entry) -> None:
    seen = entry.standing in (Standing.PROPOSED, Standing.APPROVED, Standing.REFUSED)
    with st.container(horizontal=True, gap="small"):
        approved = st.button(
            "Approve",
            type="primary",
            shortcut="A",
            disabled=not seen or entry.standing is Standing.APPROVED,
            key="approve",
        )
        redrawn = st.button(
            "Redraw",
            shortcut="N",
            disabled=entry.recipe is None or entry.standing is Standing.WAITING,
            key="redraw",
            help="Another image of the same kind",
        )
        refused = st.button(
            "Leave out",
            shortcut="X",
            disabled=not seen or entry.standing is Standing.REFUSED,
            key="refuse",
        )
    proposed = [other for other in case_set.entries if other.standing is Standing.PROPOSED]
    all_label = f"Approve all that are drawn ({len(proposed)})"
    if st.button(all_label, disabled=not proposed, key="approve-all", type="tertiary"):
        for other in proposed:
            _change(other, standing=Standing.APPROVED)
        st.rerun()
    if approved or refused:
        _change(entry, standing=Standing.APPROVED if approved else Standing.REFUSED)
        _go_on(case_set, entry)
    if redrawn:
        resources.maker().redraw(case_set.id, entry)
        st.query_params["case"] = entry.id
        st.rerun()


def _go_on(case_set: CaseSet, entry: Entry) -> None:
    """To the next case that is to be looked at, from here on and then from the start; else stay."""
    entries = list(case_set.entries)
    here = [other.id for other in entries].index(entry.id)
    onward = [*entries[here + 1 :], *entries[:here]]
    for standing in (Standing.PROPOSED, Standing.WAITING):
        following = next((other for other in onward if other.standing is standing), None)
        if following is not None:
            st.query_params["case"] = following.id
            break
    else:
        st.query_params["case"] = entry.id
    st.rerun()


def _change(entry: Entry, **changes: Any) -> None:
    """Write the changed entry. Raises StoreError where it was drawn anew or decided elsewhere meanwhile."""
    if not resources.store().casebook.change_entry(entry, replace(entry, **changes)):
        raise StoreError("This case was changed elsewhere meanwhile; look at it again.")


def _words(set_id: str, entry: Entry, kind: str, label: str, told: str) -> None:
    """A text that is kept as soon as it is left; one that is refused stays as typed, with the reason under it."""
    key = f"{kind}-{entry.id}"
    st.text_area(
        label,
        getattr(entry, kind),
        height=90,
        key=key,
        placeholder=told,
        on_change=_keep_words,
        args=(set_id, entry.id, kind, key),
        persist_state="session",
    )
    problem = st.session_state.get(f"problem-{key}")
    if problem:
        st.error(problem)


def _keep_words(set_id: str, entry_id: str, kind: str, key: str) -> None:
    text = str(st.session_state.get(key) or "").strip()
    written: Any = {kind: text}
    try:
        prompts.guard(text)
        for last in (False, False, True):  # while a case is being drawn its entry moves on by itself
            entry = _entry(set_id, entry_id)
            if resources.store().casebook.change_entry(entry, replace(entry, **written)):
                break
            if last:
                raise StoreError("The case is being changed elsewhere; try once more.")
        st.session_state.pop(f"problem-{key}", None)
    except SynthError as error:
        st.session_state[f"problem-{key}"] = f"{error} This text is not kept yet."


def _entry(set_id: str, entry_id: str) -> Entry:
    """The entry as it stands now."""
    entries = resources.store().casebook.case_set(set_id).entries
    found = next((entry for entry in entries if entry.id == entry_id), None)
    if found is None:
        raise StoreError("This case was removed meanwhile.")
    return found


def _place(case_set: CaseSet, entry: Entry, number: int) -> None:
    """Earlier, later, and out of the set."""
    ids = [other.id for other in case_set.entries]
    casebook = resources.store().casebook
    with st.container(horizontal=True, gap="small"):
        up = st.button("Earlier", icon=":material/arrow_upward:", disabled=number == 1, key="earlier")
        down = st.button("Later", icon=":material/arrow_downward:", disabled=number == len(ids), key="later")
        with st.popover("Remove"):
            st.caption("Takes the case out of the set, with its history and teaching point.")
            gone = st.button(f"Remove case {number}", key="remove")
    if up or down:
        other = number - 2 if up else number
        ids[number - 1], ids[other] = ids[other], ids[number - 1]
        casebook.order_entries(case_set.id, ids)
        st.query_params["case"] = entry.id
    if gone:
        casebook.remove_entry(entry.id)
        st.query_params.pop("case", None)
    if up or down or gone:
        st.rerun()

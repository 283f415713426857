"""Administration, Protocols: opened, changed and ended by the governance officer; data sets for their people."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import streamlit as st

from synth.errors import PolicyError
from synth.findings import VOCABULARY
from synth.governance.protocols import TITLE_MAX, WORDS_MAX, Protocol
from synth.governance.roles import Permission
from synth.terms import Modality
from synth.ui import resources, session, views

DRAWN = tuple(modality for modality in Modality if modality is not Modality.OTHER)
FORMATS = {"dcm": "DICOM", "png": "PNG"}


def panel() -> None:
    """What a governance officer manages, and what a researcher exports."""
    person = session.person()
    manages, researches = person.may(Permission.PROTOCOLS), person.may(Permission.RESEARCH)
    if not manages and not researches:
        raise PolicyError(f"{person.name} may not {Permission.PROTOCOLS}; the role governance officer may.")
    if manages:
        with st.expander("New protocol"):
            _new()
        protocols = resources.store().protocols.protocols()
        if not protocols:
            st.caption("No protocol was opened yet. Research and data sets need one; education needs none.")
        for protocol in protocols:
            with st.container(border=True), views.show_error():
                _managed(protocol)
    if researches:
        st.markdown("**Data sets of your protocols**")
        mine = resources.research().protocols(person)
        if not mine:
            st.caption("You belong to no open protocol.")
        for protocol in mine:
            with views.show_error():
                _exported(protocol)


def _new() -> None:
    """The form of a new protocol; what is refused stays as typed, with the reason."""
    with st.form("protocol-new", border=False):
        title = st.text_input("Title", key="protocol-title", max_chars=TITLE_MAX)
        board = st.text_input("Reference of the ethics board", key="protocol-board", max_chars=TITLE_MAX)
        purpose = st.text_area("Purpose", key="protocol-purpose", max_chars=WORDS_MAX, height=80)
        left, right = st.columns(2)
        last = left.date_input("Last valid day", _today() + timedelta(days=365), key="protocol-expires")
        modalities = right.multiselect("Modalities", DRAWN, [Modality.DX], key="protocol-modalities")
        findings = st.multiselect(
            "Findings that it covers",
            sorted(VOCABULARY, key=lambda code: VOCABULARY[code].name),
            key="protocol-findings",
            format_func=lambda code: VOCABULARY[code].name,
            placeholder="normal images only",
        )
        own = (session.user(),) if session.person().may(Permission.RESEARCH) else ()
        people, groups = _people_fields("new", own, ())
        if not st.form_submit_button("Open the protocol"):
            return
    now = datetime.now(UTC)
    made = Protocol(
        uuid.uuid4().hex, title.strip(), board.strip(), purpose.strip(), now, _end_of(last),
        tuple(modalities), tuple(findings), people, groups,
    )  # fmt: skip
    resources.store().protocols.add(made, session.person())
    st.toast("The protocol is open")
    st.rerun()


def _managed(protocol: Protocol) -> None:
    """One protocol: what it covers, what was made and exported, its people, its end."""
    store, now = resources.store(), datetime.now(UTC)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{views.escaped(protocol.title)}**", width="content")
        _badge(protocol, now)
    covered = ", ".join(VOCABULARY[code].name for code in protocol.findings) or "normal images only"
    st.caption(
        f"{views.escaped(protocol.board)}; {', '.join(protocol.modalities)}; {covered}. "
        f"Valid until {_last_day(protocol)}. {views.escaped(protocol.purpose)}"
    )
    made = store.protocols.counts(protocol.id)
    st.caption("Images: " + (", ".join(f"{count} {state}" for state, count in sorted(made.items())) or "none yet"))
    for event in store.protocols.exports(protocol.id):
        told = (
            f"{event.detail['images']} images, {FORMATS[event.detail['format']]}, sha256 {event.detail['sha256'][:12]}"
        )
        st.caption(f"Exported {event.at:%Y-%m-%d %H:%M} UTC by {views.escaped(event.who)}: {told}")
    if not protocol.open(now):
        return
    with st.container(horizontal=True, gap="small"):
        with st.popover("Change its people"):
            people, groups = _people_fields(protocol.id, protocol.people, protocol.groups)
            if st.button("Keep these people", key=f"protocol-keep-{protocol.id}"):
                store.protocols.set_people(protocol.id, session.person(), people, groups, now)
                st.rerun()
        with st.popover("End it"):
            st.caption("For good: nothing more is made or exported under it.")
            if st.button("End this protocol", key=f"protocol-end-{protocol.id}"):
                store.protocols.end(protocol.id, session.person(), now)
                st.rerun()


def _badge(protocol: Protocol, now: datetime) -> None:
    if protocol.ended_at is not None:
        st.badge(f"ended on {protocol.ended_at:%Y-%m-%d}", color="gray")
    elif protocol.open(now):
        st.badge("open", color="green")
    else:
        st.badge("expired", color="orange")


def _exported(protocol: Protocol) -> None:
    """The data set of one protocol: what is released and fit for research, as it stands when the button is pressed."""
    person = session.person()
    ready = resources.research().ready(protocol.id, person)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{views.escaped(protocol.title)} :gray[{ready} released, fit for research]", width="content")
        for ending, name in FORMATS.items():
            st.download_button(
                f"Data set, {name}",
                partial(resources.research().dataset, protocol.id, person, ending),
                f"dataset-{protocol.id[:8]}-{ending}.zip",
                "application/zip",
                on_click="ignore",
                disabled=not ready,
                key=f"dataset-{ending}-{protocol.id}",
            )


def _people_fields(
    key: str, people: tuple[str, ...], groups: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and groups, separated by commas."""
    names = st.text_input("People, by name", ", ".join(people), key=f"protocol-people-{key}")
    many = st.text_input("Groups", ", ".join(groups), key=f"protocol-groups-{key}")
    return _parts(names), _parts(many)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _today() -> date:
    return datetime.now(UTC).date()


def _end_of(day: date) -> datetime:
    """The moment after the last one of a day, UTC."""
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


def _last_day(protocol: Protocol) -> str:
    return f"{protocol.expires_at - timedelta(seconds=1):%Y-%m-%d}"

"""An invitation to a study: consent, the next phase, what is told before it, and nothing about the truth."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import streamlit as st

from synth.reading.items import opaque_id
from synth.reading.sessions import Mode, Plan, ReadingSession, reader_name
from synth.reading.studies import Seat, Study, phase_at
from synth.ui import quiz_place, quiz_words, resources


def show(code: str) -> None:
    """Where the reader of this invitation stands. Raises StoreError and PolicyError in one sentence."""
    store = resources.store()
    study, seat = store.casebook.study_of_code(code)
    st.subheader(study.title, anchor=False)
    st.caption(f"{seat.reader} of {study.protocol.readers}. {quiz_words.BANNER}")
    if seat.consented_at is None and study.locked_at is None:
        _consent(study, seat)
        return
    begun = sorted(store.sittings.sessions(seat.reader, study=study.id), key=lambda session: session.plan.phase)
    phase = phase_at(study, seat, tuple(session.ended_at for session in begun), datetime.now(UTC))
    if phase is None:
        st.markdown("You have read everything. Thank you; the results are told when the study is locked.")
        return
    _phase(study, seat, phase, begun)


def _consent(study: Study, seat: Seat) -> None:
    st.markdown(study.protocol.consent)
    with st.form("consent", border=False):
        name = st.text_input("A name or pseudonym", help="Seen by whoever runs the study, never in its results")
        if st.form_submit_button("I agree and take part", type="primary"):
            resources.store().casebook.take_seat(seat.code, reader_name(name), datetime.now(UTC))
            st.rerun()


def _phase(study: Study, seat: Seat, phase: int, begun: list[ReadingSession]) -> None:
    """Begin a phase or go on with it; clues come before the second."""
    running = next((session for session in begun if session.plan.phase == phase), None)
    if study.protocol.phases > 1:
        st.markdown(f"Phase {phase + 1} of {study.protocol.phases}")
    if phase > 0 and study.protocol.clues:
        st.markdown(study.protocol.clues)
    if running:
        st.caption(f"{len(running.answers)} of {running.plan.length} answered.")
    if st.button("Go on" if running else "Begin", type="primary", shortcut="Enter"):
        session = running or begin(study, seat, phase)
        quiz_place.sit(session.id, seat.code)
        st.rerun()


def begin(study: Study, seat: Seat, phase: int) -> ReadingSession:
    """The sitting of one reader in one phase: a second tab gets the same one."""
    asked = study.protocol
    seed = int(opaque_id(study.id)[:8], 16) or 1
    plan = Plan(
        Mode.STUDY,
        asked.tasks,
        seed=seed if asked.shuffled else 0,
        shape=asked.shape,
        rated=True,
        opinion=asked.opinion,
        study=study.id,
        phase=phase,
    )
    return resources.desk_of(asked.sets).begin(uuid.uuid4().hex, seat.reader, plan, datetime.now(UTC))

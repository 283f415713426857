"""The desk of whoever runs reader studies: their list, and one with its invitations, its completion and the lock."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from synth.errors import PolicyError
from synth.reading.studies import Progress, Study
from synth.reading.study_tables import Table, completion, done
from synth.reading.study_words import protocol_rows
from synth.ui import resources, session, study_form, study_results, views

POLL_S = 3.0  # between two looks at how far the readers are


def panel() -> None:
    """The study that the address names, or all of them and the form for a new one."""
    study_id = st.query_params.get("study")
    if study_id:
        _opened(study_id)
        return
    studies = resources.store().casebook.studies(session.user())
    for study in studies:
        _line(study)
    if not studies:
        st.caption("No study was made yet.")
    with st.expander("New study", expanded=not studies):
        study_form.form()


def _line(study: Study) -> None:
    """One study of the list."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button("Open", key=f"open-{study.id}", help=f"Open {study.title}"):
            st.query_params.from_dict({"study": study.id})
            st.rerun()
        st.text(study.title, width="content")
        st.caption(_standing(study))


def _standing(study: Study) -> str:
    readers, phases = study.protocol.readers, study.protocol.phases
    told = f"{readers} {'reader' if readers == 1 else 'readers'}, {phases} {'phase' if phases == 1 else 'phases'}"
    state = f"locked on {study.locked_at:%Y-%m-%d}" if study.locked_at else "open"
    return f"{told}; made on {study.created_at:%Y-%m-%d}, {state}."


def _opened(study_id: str) -> None:
    if st.button("All studies", key="studies_all", type="tertiary", icon=":material/arrow_back:"):
        st.query_params.clear()
        st.rerun()
    study = resources.store().casebook.study(study_id)
    if study.owner != session.user():
        raise PolicyError("This study belongs to somebody else; only they can open it.")
    st.text(study.title)
    st.caption(_standing(study))
    with st.expander("Protocol"):
        for name, words in protocol_rows(study.protocol):
            st.caption(name)
            st.text(words)
    if study.locked_at is not None:
        study_results.table(completion(study, tuple(resources.store().casebook.progress(study.id))))
        study_results.show(study)
        return
    st.fragment(_invitations, run_every=POLL_S)(study.id)
    _lock(study)


def _invitations(study_id: str) -> None:
    """The seats and how far each is; polled on its own, so that nothing being typed or read elsewhere moves."""
    with views.show_error():
        casebook = resources.store().casebook
        study = casebook.study(study_id)
        if study.locked_at is not None:
            st.rerun()  # another tab has locked it
        study_results.table(_seats(study, casebook.progress(study_id)))
        with st.expander("Invitations to copy"):
            st.code("\n".join(f"{seat.reader}: {_address(seat.code)}" for seat in study.seats), language=None)


def _seats(study: Study, progress: list[Progress]) -> Table:
    phases = range(study.protocol.phases)
    found = {(one.reader, one.phase): one for one in progress}
    rows = tuple(
        (
            seat.reader,
            seat.code,
            f"/quiz?seat={seat.code}",
            f"taken by {seat.name}" if seat.consented_at else "free",
            *(done(found.get((seat.reader, phase))) for phase in phases),
        )
        for seat in study.seats
    )
    names = ("Cases read",) if len(phases) == 1 else tuple(f"Phase {phase + 1}" for phase in phases)
    return Table("Invitations", ("Reader", "Code", "Address", "Seat", *names), rows)


def _address(code: str) -> str:
    """Where an invitation leads, under the address at which this page was opened."""
    here = (st.context.url or "").split("?")[0].removesuffix("/studies").rstrip("/")
    return f"{here}/quiz?seat={code}"


def _lock(study: Study) -> None:
    """The lock, asked for twice: it ends the study for good, and only then are there results."""
    asked = f"lock_asked-{study.id}"
    if not st.session_state.get(asked):
        st.caption("Results come after the lock, so that nobody looks at them before the last reader is done.")
        if st.button("Lock", key="study_lock", icon=":material/lock:"):
            st.session_state[asked] = True
            st.rerun()
        return
    st.warning(f"{_missing(study)} After the lock nobody can answer any more, and it cannot be undone.")
    with st.container(horizontal=True, gap="small"):
        if st.button("Lock for good", key="study_lock_sure", type="primary"):
            resources.store().casebook.lock_study(study.id, datetime.now(UTC))
            st.session_state.pop(asked)
            st.rerun()
        if st.button("Keep it open", key="study_lock_not"):
            st.session_state.pop(asked)
            st.rerun()


def _missing(study: Study) -> str:
    wanted = study.protocol.readers * study.protocol.phases
    ready = sum(one.complete for one in resources.store().casebook.progress(study.id))
    if ready == wanted:
        return "Every reader has read every case."
    return f"{ready} of {wanted} sittings are complete."

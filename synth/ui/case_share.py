"""Handing a set on: its title, its code and address for trainees, and its files."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import streamlit as st

from synth.departures import Departures
from synth.dicom.encode import exported
from synth.errors import PolicyError, RequestError, StoreError, SynthError
from synth.export.case_zip import Drawn, case_zip
from synth.governance.release import Use
from synth.reading.cases import CaseSet, Entry
from synth.store import Store
from synth.ui import resources, session


def show(case_set: CaseSet) -> None:
    """Title and switch on the left, files on the right."""
    trainees, files = st.columns(2, gap="large")
    with trainees:
        st.markdown("**For trainees**")
        _title(case_set)
        _open(case_set)
        st.caption("Code, to be typed in the Reading room")
        st.code(case_set.code, language=None)
        st.caption("Address, to be sent; whoever opens it types a name and reads")
        st.code(address(case_set.code, st.context.url or ""), language=None)
    with files:
        st.markdown("**Files**")
        st.caption(
            "Every approved synthetic case as DICOM, marked as synthetic, its lesion as DICOM SEG, and a manifest with "
            "findings, words, seeds, the hash of the weights and of every file. File names tell nothing of a case. "
            "Real images stay here: the manifest names them only."
        )
        st.download_button(
            "DICOM ZIP",
            partial(archive, case_set, resources.store(), resources.departures(), session.user()),
            f"cases-{case_set.code}.zip",
            "application/zip",
            on_click="ignore",
            disabled=not case_set.approved,
            help=None if case_set.approved else "Approve a case first",
        )


def address(code: str, page: str) -> str:
    """Where a set is read, beside the address of this page."""
    parts = urlsplit(page)
    before = parts.path.rstrip("/").removesuffix("/cases")
    return f"{parts.scheme}://{parts.netloc}{before}/quiz?set={code}" if parts.netloc else f"/quiz?set={code}"


def archive(case_set: CaseSet, store: Store, departures: Departures, who: str) -> bytes:
    """The ZIP of the approved cases as they stand now; each image of it is noted as exported.

    The services come from the page: a button calls this in a thread that knows of no session.
    """
    cases = [_drawn(entry, store, departures) for entry in case_set.approved]
    data = case_zip(case_set, cases)
    for case in cases:
        if case.image is not None and exported(case.image):
            departures.note(case.image, who, {"format": "DICOM ZIP", "set": case_set.id})
    return data


def _drawn(entry: Entry, store: Store, departures: Departures) -> Drawn:
    """An approved case as it leaves; one that is lost or may not leave is a sentence of the manifest."""
    if entry.recipe is None:
        return Drawn(entry)
    try:
        store.validation.release(entry.job).require(Use.EXPORT)
        image = departures.leaving(store.image(entry.job))
        base = store.base(image.request) if entry.recipe.outline else None
    except (StoreError, PolicyError) as error:
        return Drawn(entry, problem=str(error))
    return Drawn(entry, image, base.lesion if base else None)


def _title(case_set: CaseSet) -> None:
    st.text_input("Title", case_set.title, key=f"title-{case_set.id}", on_change=_keep, args=(case_set,))
    _problem(case_set)


def _open(case_set: CaseSet) -> None:
    st.toggle(
        "Open for trainees",
        case_set.open,
        key=f"open-{case_set.id}",
        on_change=_keep,
        args=(case_set,),
    )


def _problem(case_set: CaseSet) -> None:
    sentence = st.session_state.get(f"share-problem-{case_set.id}")
    if sentence:
        st.error(sentence)


def _keep(case_set: CaseSet) -> None:
    """Keep title and switch as they stand on the page; what is refused stays there with the reason."""
    state, problem = st.session_state, f"share-problem-{case_set.id}"
    state.pop(problem, None)
    title, wanted = str(state.get(f"title-{case_set.id}") or "").strip(), bool(state.get(f"open-{case_set.id}"))
    try:
        if wanted and not case_set.approved:
            state[f"open-{case_set.id}"] = False
            raise RequestError("No case is approved yet; approve at least one before the set is opened.")
        resources.store().casebook.rename_set(case_set.id, title, wanted)
    except SynthError as error:
        state[problem] = str(error)

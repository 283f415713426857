"""The options of de-identification, wherever images come in. The defaults are those of the configuration."""

from __future__ import annotations

import streamlit as st

from synth.dicom.taken import BurntIn, Retain
from synth.intake.defaults import Deidentification
from synth.ui import resources

KEPT = {
    Retain.PATIENT_CHARACTERISTICS: ("Sex, age, size and weight", "Ages above 89 become 89."),
    Retain.DEVICE_IDENTITY: ("The scanner", "Its name, serial number and site number."),
    Retain.INSTITUTION_IDENTITY: ("The hospital", "Its name, address and department."),
    Retain.FULL_DATES: ("Dates as they are", "Without it all dates of a patient are shifted by the same days."),
    Retain.UIDS: ("The UIDs as they are", "Without it they are replaced; series of one study stay together."),
    Retain.SAFE_PRIVATE: ("Safe private attributes", "Those that the standard lists as free of identity."),
}
BURNT_IN = {BurntIn.BLACK_OUT: "black it out", BurntIn.REFUSE: "refuse the file"}
FACES = {False: "keep and flag it", True: "refuse the file"}


def rules(form: str) -> Deidentification:
    """The options of one form; `form` begins the keys of its fields. Raises RequestError for a bad configuration."""
    defaults = resources.archives().rules()
    st.caption("Names, numbers, addresses and everything else of the basic profile (PS3.15 E) go. Keep:")
    kept = frozenset(
        option
        for option, (label, told) in KEPT.items()
        if st.checkbox(label, option in defaults.retain, key=f"{form}_{option.value}", help=told)
    )
    burnt_in = st.radio(
        "Text burnt into the picture",
        tuple(BURNT_IN),
        tuple(BURNT_IN).index(defaults.burnt_in),
        format_func=BURNT_IN.__getitem__,
        horizontal=True,
        key=f"{form}_burnt_in",
    )
    faces = st.radio(
        "A head from which a face could be rendered",
        tuple(FACES),
        tuple(FACES).index(defaults.refuse_faces),
        format_func=FACES.__getitem__,
        horizontal=True,
        key=f"{form}_faces",
    )
    return Deidentification(kept, burnt_in or BurntIn.BLACK_OUT, bool(faces))

"""Synthetic images for a PACS: chosen among the newest, as which kind of object, and why they are sent."""

from __future__ import annotations

import streamlit as st

from synth import prompts
from synth.dicom.encode import exported
from synth.dicom.objects import Kind
from synth.errors import RequestError, SynthError
from synth.governance.release import Use
from synth.intake.archives import Push
from synth.library.pacs import Node
from synth.store import StoredImage
from synth.types import GeneratedImage
from synth.ui import gallery, resources, session, views

NEWEST = 24
TILE_PX = 112
CHOSEN = "pacs_chosen"
KINDS = {
    Kind.SECONDARY_CAPTURE: "Secondary Capture, the honest default",
    Kind.DX: "DX, a film as from a detector",
    Kind.CT: "CT, a slice in HU",
}


def button(image: GeneratedImage) -> None:
    """Leads from an image to the tab, where there is a PACS that it could be sent to."""
    try:
        nodes = [node for node in resources.archives().network().nodes if node.allow_push]
    except RequestError:
        return  # the PACS tab says what is wrong with the configuration
    if not nodes or image.request.mark != "SYNTHETIC" or not exported(image):
        return
    may = resources.store().validation.release(image.id).allows(Use.PACS)
    told = "Choose the PACS and say why on the next page" if may else "Radiologists validate an image first"
    if st.button("Send to PACS", key=f"send-{image.id}", help=told, disabled=not may):
        st.switch_page("pages/library.py", query_params={"tab": "pacs", "way": "send", "push": image.id})


def show(node: Node) -> None:
    """Images, kind, reason, and the button."""
    if not node.allow_push:
        st.info(f"{node.name} takes no synthetic images; its entry would need allow_push = true.")
        return
    _arrived()
    left, right = st.columns([15, 9], gap="large")
    with left, views.show_error():
        chosen = _images()
    with right, views.show_error():
        _send(node, chosen)


def _arrived() -> None:
    """The image that the address names is chosen, once."""
    named = st.query_params.get("push", "")[:64]
    if named and st.session_state.get("pacs_push_seen") != named:
        st.session_state["pacs_push_seen"] = named
        st.session_state[CHOSEN] = (named,)
        for key in [key for key in st.session_state if str(key).startswith("pacs-pick-")]:
            del st.session_state[key]


def _images() -> tuple[str, ...]:
    """The newest images that may be sent, and those that were chosen before; returns the chosen ones."""
    chosen: tuple[str, ...] = st.session_state.get(CHOSEN, ())
    made = [entry for entry in resources.store().history(4 * NEWEST, user=session.user()) if _may_go(entry)]
    releases = resources.store().validation.releases(entry.id for entry in made)
    entries = [entry for entry in made if releases[entry.id].allows(Use.PACS)][:NEWEST]
    shown = {entry.id: entry.request for entry in entries}
    problems = []
    for name in chosen:
        try:
            shown = shown if name in shown else {name: resources.store().image(name).request} | shown
        except SynthError as error:
            problems.append(str(error))
    for problem in problems:
        st.error(problem)
    if not shown:
        st.caption(
            "There is nothing yet that could be sent: radiologists validate an image first, and images that were drawn "
            "into real ones may not leave."
        )
    with st.container(horizontal=True, gap="small"):
        for name, request in shown.items():
            with st.container(width=TILE_PX, gap="xxsmall"):
                st.image(gallery.thumbnail(name, request.mark), width="stretch", alt=prompts.describe(request))
                key = f"pacs-pick-{name}"
                st.session_state[key] = name in chosen
                st.checkbox("Choose", key=key, help=prompts.describe(request), on_change=_toggle, args=(name,))
    return chosen


def _may_go(entry: StoredImage) -> bool:
    return entry.request.mark == "SYNTHETIC" and entry.request.modality in ("DX", "CT")


def _toggle(name: str) -> None:
    others = tuple(one for one in st.session_state.get(CHOSEN, ()) if one != name)
    st.session_state[CHOSEN] = (*others, name) if st.session_state.get(f"pacs-pick-{name}") else others


def _send(node: Node, chosen: tuple[str, ...]) -> None:
    kind = st.radio("Sent as", tuple(KINDS), format_func=KINDS.__getitem__, key="pacs_kind", persist_state="session")
    reason = st.text_area(
        "Reason", key="pacs_reason", placeholder="teaching file for the residents' course", max_chars=300, height=80,
        help="Kept in the audit trail with every image. No names, no numbers of patients.", persist_state="session",
    )  # fmt: skip
    count = f"{len(chosen)} image{'s' * (len(chosen) != 1)}"
    st.caption(
        f"{count} chosen. Each says SYNTHETIC in its pixels and in its header; what {node.name} has is not sent again."
    )
    if st.button(f"Send to {node.name}", key="pacs_send", type="primary", icon=":material/upload:"):
        push = Push(node.name, chosen, kind or Kind.SECONDARY_CAPTURE, reason)
        resources.archives().push(push, session.person())
        st.session_state[CHOSEN] = ()
        st.toast(f"Sending {count} to {node.name}", icon=":material/upload:")
        st.rerun()

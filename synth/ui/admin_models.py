"""The models on the screen: the one that draws, its card and files, and every switch from one to another."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from synth.engine import EngineStatus
from synth.governance.roles import Permission, require
from synth.intake.model_files import Checked
from synth.types import ModelCard
from synth.ui import resources, session, views

POLL_S = 0.5
HOW_TO_SWITCH = (
    "Another model is chosen by `SYNTH_MODEL` and a restart: jobs that wait are then drawn by the new one. "
    "One of others waits until somebody has accepted its licence."
)


def panel() -> None:
    """The model that draws, then the register. Raises PolicyError for those who may not see how the app is used."""
    require(session.person(), Permission.MONITOR)
    status = resources.engine().status()
    if status.card is None:
        st.caption(status.error or "The model is being loaded.")
    else:
        _model(status, status.card)
    st.markdown("**Register**", help=HOW_TO_SWITCH)
    _register()


def _model(status: EngineStatus, card: ModelCard) -> None:
    st.markdown(f"**{views.escaped(card.title)}** (`{card.id}`, revision {views.escaped(card.revision)})")
    st.caption(f"Weights {card.weights_hash()} on {views.escaped(status.device)}.")
    for name, text in (("Licence", card.licence), ("Intended use", card.intended_use), ("Limits", card.limits)):
        st.markdown(f"**{name}.** {views.escaped(text)}")
    if (about := resources.about()) and about.card_text:
        with st.expander(f"The whole card (sha256 {about.card_digest[:12]})"):
            st.markdown(about.card_text.replace("![", "!\\["))  # a picture would be fetched from elsewhere
    folder = resources.settings().models / resources.settings().model_id
    if card.files and folder.is_dir():
        _files(folder, card)


def _files(folder: Path, card: ModelCard) -> None:
    running = resources.model_files().running(folder)
    st.fragment(_compared, run_every=POLL_S if running else None)(folder, card, running)


def _compared(folder: Path, card: ModelCard, was_running: bool) -> None:
    found = resources.model_files().result(folder)
    checked = {one.name: one for one in found or ()}
    rows = [
        {"File": name, "sha256 by the card": digest, "On disk": _verdict(checked.get(name))}
        for name, digest in sorted(card.files.items())
    ]
    with st.expander(f"{len(card.files)} files with their sha256"):
        st.dataframe(rows, hide_index=True, width="stretch", height="content")
        if st.button("Compare with the files on disk", key="check_files", disabled=was_running):
            resources.model_files().check(folder, card.files)
            st.rerun()
        if found is None:
            st.caption("The files are being read." if was_running else "They were compared when the model was loaded.")
        elif all(one.same for one in found):
            st.caption(f"All {len(found)} files are those of the card.")
        else:
            st.error(f"{sum(not one.same for one in found)} of {len(found)} files are not those of the card.")
    if was_running and found is not None:
        st.rerun()


def _verdict(checked: Checked | None) -> str:
    if checked is None:
        return ""
    return "the same" if checked.same else checked.actual or "cannot be read"


def _register() -> None:
    rows = [
        {
            "When (UTC)": entry.at.strftime("%Y-%m-%d %H:%M"),
            "Switched by": entry.who,
            "Licence accepted by": entry.accepted_by or "not needed",
            "Model": entry.loaded.model,
            "Revision": entry.loaded.revision,
            "Weights": entry.loaded.weights[:16],
            "Card": entry.loaded.card[:16] or "none",
            "Licence": entry.loaded.licence,
            "Device": entry.loaded.device,
        }
        for entry in resources.store().model_register.entries()
    ]
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch", height="content")
    else:
        st.caption("No model has been loaded yet.")

"""The documents on the screen: each made of what is known at this moment, as PDF and as Markdown."""

from __future__ import annotations

from functools import partial

import streamlit as st

from synth.export.documents import notices
from synth.export.documents.blocks import Document
from synth.export.documents.data_sheet import data_sheet
from synth.export.documents.markdown import markdown
from synth.export.documents.model_card import model_card
from synth.governance.roles import Permission, require
from synth.ui import resources, session

NOT_YET = "The documents tell of the model that draws; they can be made once it is loaded."


def panel() -> None:
    """All four. Raises PolicyError for those who may not see how the app is used."""
    require(session.person(), Permission.MONITOR)
    about = resources.about()
    if about is None:
        st.caption(NOT_YET)
        return
    use = resources.monitor().use(about.card.id, about.card.revision)
    sheet = data_sheet(about, resources.monitor().held())
    for name, told, document in (
        ("Model card", "What the model is, learnt and can do, and what it has drawn here.", model_card(about, use)),
        ("Data sheet", "Where all images come from, under which licence, and who answers for which use.", sheet),
        ("Transparency notice", "For everybody who sees the images.", notices.transparency(about)),
        ("Intended use", "What the app is for, and what regulators say of it.", notices.intended_use(about)),
    ):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{name}.** {told}", width="stretch")
            _button("PDF", name, document)
            _button("Markdown", name, document)
    st.caption("Every number in them carries its source. The last two are for everybody, below in the sidebar.")


def for_everybody() -> None:
    """The two notices, for whoever is here."""
    about = resources.about()
    if about is None:
        return
    with st.popover("About these images", icon=":material/info:", type="tertiary"):
        _button("Transparency notice", "Transparency notice", notices.transparency(about), "sidebar")
        _button("Intended use", "Intended use", notices.intended_use(about), "sidebar")


def _button(label: str, name: str, document: Document, place: str = "") -> None:
    as_text = label == "Markdown"
    file = name.lower().replace(" ", "-")
    st.download_button(
        label,
        partial(markdown if as_text else _pdf, document),
        f"{file}.md" if as_text else f"{file}.pdf",
        "text/markdown" if as_text else "application/pdf",
        on_click="ignore",
        key=f"document_{place}_{file}_{label}",
    )


def _pdf(document: Document) -> bytes:
    from synth.export.documents.pdf import pdf  # what it needs is slow to import, and every start would wait for it

    return pdf(document)

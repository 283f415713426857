"""Editing what is known of a real image: labels, boxes, mask, note, origin. Saved at one press, with an event."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from synth.errors import SynthError
from synth.library import editing
from synth.library.labels import NORMAL
from synth.store.holding_records import Holding
from synth.types import AuditEvent, Box, RealImage
from synth.ui import resources, session, shelf_draft, shelf_draw, shelf_place
from synth.ui.shelf_draft import Draft

MODALITIES = ("DX", "CT", "MR", "PT", "US", "MG", "NM", "XA", "OT")
VIEWS = ("PA", "AP", "LATERAL", "AXIAL", "CORONAL", "SAGITTAL")
SEXES = (None, "F", "M")
BODY_PARTS = ("CHEST", "HEAD", "BRAIN", "ABDOMEN", "BREAST", "PELVIS", "SPINE", "EXTREMITY")
EDGES = ("Left", "Top", "Width", "Height")  # of a box, as shares of the picture
LICENCES = ("CC0 1.0", "CC BY 4.0", "CC BY-SA 4.0", "CC BY-NC 4.0", "CC BY-NC-SA 4.0", "own images", "unknown")


def editor(holding: Holding, shape: tuple[int, int]) -> None:
    """The form. A fragment: what is typed runs nothing else of the page."""
    draft = shelf_draft.begun(holding.image)
    wanted = _labels(draft)
    _boxes(draft, wanted.modality)
    shelf_draw.board(draft, wanted, shape)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button("Save", key="shelf_save", type="primary"):
            _save(draft, replace(wanted, boxes=draft.boxes, mask=draft.mask))
        if st.button("Discard changes", key="shelf_discard", type="tertiary"):
            shelf_draft.begin_anew(draft.opened.id)
            st.rerun()


def _labels(draft: Draft) -> RealImage:
    """The widgets of the labels, and the image as they say."""
    image, key = draft.opened, draft.key
    one, two, three = st.columns(3, gap="small")
    with one:
        modality = _open_choice("Modality", MODALITIES, image.modality, key("modality"))
        age = st.text_input("Age, years", "" if image.age is None else str(image.age), key=key("age"), placeholder="?")
    with two:
        view = _open_choice("View", VIEWS, image.view or "", key("view"))
        said = SEXES.index(image.sex) if image.sex in SEXES else 0
        sex = st.selectbox("Sex", SEXES, said, format_func=_sex, key=key("sex"))
    with three:
        body_part = _open_choice("Body part", BODY_PARTS, image.body_part, key("part"))
    chosen = st.session_state.get(key("findings"), image.findings)  # another modality must not drop what was chosen
    offered = sorted({*editing.codes_of(modality.upper()), *image.findings, *chosen} - {NORMAL}, key=shelf_place.words)
    findings = st.multiselect(
        "Findings", [NORMAL, *offered], list(image.findings), format_func=shelf_place.words, key=key("findings")
    )
    note = st.text_area("Teaching note", image.note, key=key("note"), height=90, placeholder="what to point out")
    origin = st.text_input("Origin", image.origin, key=key("origin"))
    licence = _open_choice("Licence", LICENCES, image.licence, key("licence"))
    attribution = st.text_input("Attribution", image.attribution, key=key("attribution"), placeholder="how to cite it")
    return replace(
        image,
        modality=modality,
        view=view,
        body_part=body_part,
        sex=sex,
        age=_years(age),
        findings=tuple(findings),
        note=note,
        origin=origin,
        licence=licence,
        attribution=attribution,
    )


def _sex(sex: str | None) -> str:
    return {"F": "woman", "M": "man"}.get(sex or "", "unknown")


def _open_choice(label: str, usual: tuple[str, ...], value: str, key: str) -> str:
    """One of the usual words or another that is typed."""
    options = [*usual, value] if value and value not in usual else [*usual]
    index = options.index(value) if value else None
    chosen = st.selectbox(label, options, index, key=key, accept_new_options=True, placeholder="unknown")
    return chosen or ""


def _years(text: str) -> int | None:
    """A typed age; one that is no whole number becomes one that the check refuses with its sentence."""
    text = text.strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


def _boxes(draft: Draft, modality: str) -> None:
    """The boxes as they are, each to be taken away, and one more from numbers."""
    key = draft.key
    for number, box in enumerate(draft.boxes):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            place = f"left {box.x:.0%}, top {box.y:.0%}, {box.width:.0%} x {box.height:.0%}"
            st.caption(f"Box {number + 1}: {shelf_place.words(box.code)}, {place}", width="stretch")
            st.button(
                "Take away", key=key(f"unbox-{number}"), type="tertiary", on_click=draft.take_away, args=(number,)
            )
    with st.popover("Add a box", icon=":material/add_box:", type="tertiary"):
        shelf_draft.finding(modality, key("box-code"))
        left, right = st.columns(2, gap="small")
        for i, name in enumerate(EDGES):
            (left, right)[i % 2].number_input(f"{name}, %", 0.0, 100.0, 25.0, 1.0, key=key(f"box-{name}"))
        st.button("Add", key=key("box-add"), on_click=_add_box, args=(draft,))


def _add_box(draft: Draft) -> None:
    """The box as its widgets say now: what was typed last and the press may come together."""
    state, key = st.session_state, draft.key
    shares = [round(state[key(f"box-{name}")] / 100, 4) for name in EDGES]
    draft.add_boxes((Box(state[key("box-code")] or "", *shares),))


def _save(draft: Draft, wanted: RealImage) -> None:
    """Write the edit; what is wrong with it is a sentence, and everything stays as typed."""
    before = draft.opened
    try:
        image = editing.checked(wanted, before)
        holdings = resources.store().holdings
        now = holdings.holding(image.id).image
        fields = editing.changed(now, image)
        if not fields:
            st.caption("Nothing was changed.")
            return
        detail = {"fields": list(fields), "before": _before(now, fields)}
        holdings.edit(image, AuditEvent(datetime.now(UTC), session.user(), "library.edit", image.id, "", detail))
    except SynthError as error:
        st.error(str(error))
        return
    resources.library().refresh()
    told = f"Saved: {', '.join(editing.NAMES.get(name, name) for name in fields)}."
    if meanwhile := editing.changed(before, now):
        names = ", ".join(editing.NAMES.get(name, name) for name in meanwhile)
        told += (
            f" Somebody had changed {names} since you opened the image; yours is kept, theirs is in the audit trail."
        )
    st.session_state["shelf_saved"] = told
    shelf_draft.begin_anew(image.id)
    st.rerun()


def _before(image: RealImage, fields: tuple[str, ...]) -> dict[str, Any]:
    """What the changed fields said before; a note is prose and stays out of the trail."""
    values = asdict(image)
    return {name: values[name] for name in fields if name != "note"}

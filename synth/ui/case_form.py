"""The form of a new case set: what it is called, what it shows, of whom, and which real images stand among them."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Sequence
from typing import Any

import streamlit as st

from synth.casework.recipes import MODALITIES, Wish, drawable, planned
from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.library.labels import NORMAL
from synth.reading.cases import TITLE_MAX, CaseSet, Entry, Recipe, Standing
from synth.reading.codes import code
from synth.types import SEED_MAX, Modality, ModelCard, RealImage
from synth.ui import resources, session, views

COUNT, AGES = 12, (20, 85)  # where nothing is typed
REAL_MAX = 40
NAMES = {Modality.DX: "X-ray", Modality.CT: "CT"}
KEYS = tuple(
    f"new_{name}" for name in ("title", "modality", "codes", "count", "normals", "youngest", "oldest", "label", "real")
)


def show() -> str | None:
    """The form; the id of the set that was made of it, once."""
    st.markdown("**New set**")
    card = resources.engine().status().card
    st.text_input("Title", key="new_title", placeholder="Pneumonia and effusion, first year", persist_state="session")
    modality = st.segmented_control(
        "Images",
        list(MODALITIES),
        default=Modality.DX,
        required=True,
        format_func=NAMES.__getitem__,
        key="new_modality",
        persist_state="session",
    )
    modality = modality or Modality.DX
    _findings(card, modality)
    # No bounds in the fields: a value out of range stays as typed and the page says what would be right.
    fields = (("Cases", "count", str(COUNT)), ("Of them normal", "normals", "a third"))
    ages = (("Youngest", "youngest", str(AGES[0])), ("Oldest", "oldest", str(AGES[1])))
    for column, (label, name, default) in zip(st.columns(4, gap="small"), (*fields, *ages), strict=True):
        with column:
            _number(label, f"new_{name}", default)
    _real_fields(modality)
    with views.show_error():
        if st.button("Make it", type="primary", key="new_make"):
            return _made(card, modality)
    st.caption("The cases are drawn in the background, some seconds each; every one waits for your approval.")
    return None


def chosen_real(images: Sequence[RealImage], label: str, count: int, seed: int) -> list[RealImage]:
    """`count` of the readable images that carry a label, the same ones for the same seed.

    Raises RequestError where there are fewer.
    """
    if not 1 <= count <= REAL_MAX:
        raise RequestError(f"{count} real images are asked for; a set takes 0 to {REAL_MAX}.")
    ranked = [image for image in images if label in image.findings]
    random.Random(seed).shuffle(ranked)
    found, _ = resources.library().readable(ranked, count, views.PREVIEW_PX)
    if len(found) < count:
        raise RequestError(
            f"{count} real images of {_label(label)} are asked for; the library has {len(found)} that can be read."
        )
    return [image for image, _ in found]


def _findings(card: ModelCard | None, modality: Modality) -> None:
    """Those that the loaded model draws on this modality."""
    codes = drawable(card, modality) if card else ()
    st.multiselect(
        "Findings",
        sorted({*codes, *st.session_state.get("new_codes", ())}, key=_label),
        key="new_codes",
        format_func=_label,
        placeholder="choose one or more; spread evenly over the cases" if card else "the model is loading",
        select_all=False,
        persist_state="session",
    )


def _real_fields(modality: Modality) -> None:
    """Label and number of real images, where the library has any of this modality."""
    images = _labelled(modality)
    if not images:
        return
    labels = sorted({code for image in images for code in image.findings}, key=_label)
    kept = st.session_state.get("new_label")
    number, which = st.columns([1, 3], gap="small")
    with number:
        _number("Real images", "new_real", "none")
    with which:
        st.selectbox(
            "of the library, labelled",
            labels if kept in (None, *labels) else [*labels, kept],
            index=None,
            format_func=lambda label: f"{_label(label)} ({sum(label in image.findings for image in images)})",
            key="new_label",
            placeholder="choose a label",
            persist_state="session",
        )


def _made(card: ModelCard | None, modality: Modality) -> str:
    """Keep the set that the form describes and have it drawn. Raises RequestError for the first value that is wrong."""
    title = str(st.session_state.get("new_title") or "").strip()
    if not title:
        raise RequestError(f"The set has no title; give it one of 1 to {TITLE_MAX} characters.")
    seed = secrets.randbelow(SEED_MAX)
    recipes = _recipes(card, modality, seed)
    entries = [Entry(uuid.uuid4().hex, recipe) for recipe in recipes]
    entries += [Entry(uuid.uuid4().hex, real=i.id, standing=Standing.PROPOSED) for i in _real(modality, seed)]
    random.Random(seed).shuffle(entries)
    made = CaseSet(uuid.uuid4().hex, code(secrets.choice), title, session.user(), tuple(entries))
    resources.store().casebook.add_set(made)
    resources.maker().wake()
    for key in KEYS:
        st.session_state.pop(key, None)
    return made.id


def _recipes(card: ModelCard | None, modality: Modality, seed: int) -> list[Recipe]:
    if card is None:
        raise RequestError("The model is still loading; press again in some seconds.")
    count = _whole("Cases", "new_count", COUNT)
    ages = _whole("Youngest", "new_youngest", AGES[0]), _whole("Oldest", "new_oldest", AGES[1])
    normals = _whole("Normal cases", "new_normals", max(0, count) // 3)
    return planned(Wish(tuple(st.session_state["new_codes"]), count, normals, ages, modality, seed), card)


def _real(modality: Modality, seed: int) -> list[RealImage]:
    count, label = _whole("Real images", "new_real", 0), st.session_state.get("new_label")
    if not count:
        return []
    if not label:
        raise RequestError("Real images are asked for without a label; choose which ones.")
    return chosen_real(_labelled(modality), label, count, seed)


def _labelled(modality: Modality) -> list[RealImage]:
    """The real images of a modality with labels that this program knows."""
    known = {*VOCABULARY, NORMAL}
    images = (image for image in resources.library().images if image.modality == modality.value)
    return [image for image in images if image.findings and known.issuperset(image.findings)]


def _number(label: str, key: str, default: str) -> None:
    st.number_input(label, value=None, step=1, key=key, placeholder=default, persist_state="session")


def _whole(name: str, key: str, default: int) -> int:
    value: Any = st.session_state.get(key)
    if value is None:
        return default
    if int(value) != value:
        raise RequestError(f"{name} is {value}; it must be a whole number.")
    return int(value)


def _label(code: str) -> str:
    return VOCABULARY[code].name if code in VOCABULARY else code.replace("_", " ")

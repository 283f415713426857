"""One row of the audit trail, and the image that it is about drawn once more."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime

import streamlit as st

from synth.errors import RequestError
from synth.governance.audit import Entry
from synth.recreate import compared, doubts, recreate
from synth.ui import gallery, resources, session, shelf_place, views

SIDE_PX = 256


def show(seq: int) -> None:
    """Everything that the row says, then its image."""
    entry = resources.store().trail.entry(seq)
    if entry is None:
        st.info(f"The trail has no row {seq:,}.")
        return
    st.markdown(f"**Row {seq:,}**: {views.escaped(entry.action)} by {views.escaped(entry.who)}, {when(entry)}")
    if entry.reason:
        st.markdown(f"Why: {views.escaped(entry.reason)}")
    st.code(_readable(entry), language="json")
    image_id = resources.store().image_of(entry.subject)
    if image_id is None:
        st.caption("This row is about no image that was made here.")
    else:
        _image(image_id)


def when(entry: Entry) -> str:
    """The time of a row where the reader is; as it stands where somebody has made it unreadable."""
    try:
        return f"{datetime.fromisoformat(entry.at).astimezone(session.zone()):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return entry.at


def _readable(entry: Entry) -> str:
    """The whole row as JSON, with its detail laid out."""
    members = asdict(entry)
    with suppress(ValueError):  # then it is shown as somebody has left it
        members["detail"] = json.loads(entry.detail)
    return json.dumps(members, indent=2, ensure_ascii=False)


def _image(image_id: str) -> None:
    """The stored image, what is not as it was when it was drawn, the button, and the copy beside it."""
    image = resources.store().image(image_id)
    for doubt in doubts(image, resources.engine().status()):
        st.caption(views.escaped(doubt))
    if st.button("Re-create this image", key="audit_recreate", icon=":material/replay:"):
        shelf_place.go(copy=recreate(resources.engine(), resources.store(), image, session.user()))
    copy = st.query_params.get("copy")
    made = views.image_of(copy) if copy else None
    with st.container(horizontal=True, gap="small"):
        _picture(image_id, image.request.mark, "Stored")
        if made:
            _picture(made, image.request.mark, "Drawn once more")
    if made:
        drawn = resources.store().image(made)
        if drawn.request != image.request:
            raise RequestError(f"Image {made[:12]} was drawn from another request; it is no copy of {image_id[:12]}.")
        likeness = compared(image, drawn)
        (st.warning if likeness.differing else st.success)(likeness.sentence)


def _picture(image_id: str, mark: str, caption: str) -> None:
    with st.container(width=SIDE_PX, gap="xxsmall"):
        st.image(gallery.thumbnail(image_id, mark), width="stretch", alt=caption)
        st.caption(f"{caption}: {image_id[:12]}")

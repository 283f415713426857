"""The Open collections tab: what the Imaging Data Commons holds, its size before anything travels, and its download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from synth.errors import RequestError
from synth.intake.downloads import SERIES_MAX
from synth.library.collections import Amount, Choices, Collection, Series, Wanted
from synth.ui import deidentify_form, resources, session, shelf_downloads, shelf_transfers, views

PAGE = 100  # series of one table
PARTS = 60  # body parts that are offered, the most frequent
ABOUT = 400  # letters of a description
ROWS_SHOWN = 8
ROW_PX = 31
# Others (segmentations, plans, slides, reports) hold no picture that the library keeps.
PICTURES = ("CT", "MR", "PT", "CR", "DX", "MG", "US", "XA", "RF", "NM", "OT")
NAMES = {"DX": "X-ray (DX)", "CR": "X-ray (CR)", "MR": "MRI (MR)", "PT": "PET (PT)", "MG": "mammography (MG)"}


def show() -> None:
    """Filters, collections, series of the chosen ones; below, what is on its way."""
    shelf_downloads.unfinished()
    shelf_transfers.show("download")
    with st.spinner("Opening the index of the open collections"):
        wanted = _filters(_choices())
        found = _found(wanted)
    if not found:
        st.caption("No collection fits; take a filter away.")
        return
    chosen = _collections(found)
    if not chosen:
        st.caption("Choose one or more collections by the box at the left of their rows to see their series.")
        return
    within = Wanted(tuple(one.id for one in chosen), wanted.modalities, wanted.body_parts, wanted.licences, wanted.text)
    with views.show_error():
        _series(within, chosen)


@st.cache_data(show_spinner=False)
def _choices() -> Choices:
    return resources.collections().choices


@st.cache_data(max_entries=32, show_spinner=False)
def _found(wanted: Wanted) -> list[Collection]:
    return resources.collections().collections(wanted)


@st.cache_data(max_entries=64, show_spinner=False)
def _amount(wanted: Wanted) -> Amount:
    return resources.collections().amount(wanted)


@st.cache_data(max_entries=32, show_spinner=False)
def _page(wanted: Wanted, limit: int, offset: int) -> list[Series]:
    return resources.collections().series(wanted, limit, offset)


def _filters(offered: Choices) -> Wanted:
    def several(label: str, key: str, counted: Sequence[tuple[str, int]], width: int) -> tuple[str, ...]:
        counts = dict(counted)
        return tuple(
            st.multiselect(
                label,
                list(counts),
                key=key,
                width=width,
                placeholder="all",
                persist_state="session",
                format_func=lambda name: f"{NAMES.get(name, name)} :gray[{counts.get(name, 0):,}]",
            )
        )

    pictured = [(name, count) for name, count in offered.modalities if name in PICTURES]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        text = st.text_input(
            "Words", key="idc_text", placeholder="pneumonia, lung screening", icon=":material/search:", width=240,
            persist_state="session", help="All must occur in the collection or in the description of the series.",
        )  # fmt: skip
        modalities = several("Modality", "idc_modality", pictured, 220)
        parts = several("Body part", "idc_part", offered.body_parts[:PARTS], 240)
        licences = several("Licence", "idc_licence", offered.licences, 240)
    return Wanted((), modalities or PICTURES, parts, licences, text.strip()[:200])


def _collections(found: Sequence[Collection]) -> list[Collection]:
    """The collections as a table in which several can be chosen."""
    series, size = (sum(getattr(one.amount, name) for one in found) for name in ("series", "size_bytes"))
    word = "collection" if len(found) == 1 else "collections"
    release = resources.collections().release
    st.markdown(
        f"**{len(found):,}** {word}, {series:,} series, {shelf_downloads.size_words(size)} "
        f":gray[in the Imaging Data Commons, release {release}]"
    )
    state: Any = st.dataframe(
        [_collection_row(one) for one in found],
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="idc-collections",
        height=ROW_PX * (1 + min(ROWS_SHOWN, len(found))) + 2,
        column_config={
            "Collection": st.column_config.TextColumn(width=270),
            "Modality": st.column_config.TextColumn(width=110),
            "Body part": st.column_config.TextColumn(width=210),
            "Licence": st.column_config.TextColumn(width=130),
            **{name: st.column_config.NumberColumn(format="localized") for name in ("Patients", "Series", "Images")},
            "Size, GB": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    rows: list[int] = state.selection.rows
    if not rows and len(found) == 1:
        return list(found)
    return [found[row] for row in rows if row < len(found)]


def _collection_row(one: Collection) -> dict[str, Any]:
    return {
        "Collection": one.title,
        "Modality": ", ".join(one.modalities),
        "Body part": ", ".join(part.lower() for part in one.body_parts),
        "Licence": ", ".join(one.licences),
        "Patients": one.amount.patients,
        "Series": one.amount.series,
        "Images": one.amount.instances,
        "Size, GB": one.amount.size_bytes / 1e9,
    }


def _series(wanted: Wanted, chosen: Sequence[Collection]) -> None:
    """What the collections are about, their series page by page, and the download of those that are chosen."""
    if len(chosen) == 1 and chosen[0].description:
        about = chosen[0].description
        st.caption(views.escaped(about[:ABOUT].rsplit(" ", 1)[0] + " ..." if len(about) > ABOUT else about))
    amount = _amount(wanted)
    pages = max(1, -(-amount.series // PAGE))
    number = min(pages, int(st.session_state.get("idc_page") or 1))
    listed = _page(wanted, PAGE, (number - 1) * PAGE)
    table, order = st.columns([16, 8], gap="large")
    with table:
        rows = _series_table(listed, amount, number)
        if pages > 1:
            st.session_state["idc_page"] = number  # another choice may have fewer pages
            st.pagination(pages, key="idc_page")
    with order, views.show_error():
        _order([listed[row] for row in rows if row < len(listed)], wanted, amount, chosen)


def _series_table(listed: Sequence[Series], amount: Amount, number: int) -> list[int]:
    first = (number - 1) * PAGE
    shown = f", {first + 1:,} to {first + len(listed):,}" if len(listed) < amount.series else ""
    st.markdown(f"**{amount.series:,}** series of {amount.patients:,} patients{shown}")
    state: Any = st.dataframe(
        [
            {
                "Modality": one.modality,
                "Body part": one.body_part.lower(),
                "Description": one.description,
                "Patient": one.patient,
                "Images": one.instances,
                "Size, MB": one.size_bytes / 1e6,
                "Licence": one.licence,
            }
            for one in listed
        ],
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"idc-series-{number}-{listed[0].uid if listed else ''}",
        height=ROW_PX * (1 + min(ROWS_SHOWN, len(listed))) + 2,
        column_config={"Size, MB": st.column_config.NumberColumn(format="%.1f")},
    )
    rows: list[int] = state.selection.rows
    return rows


def _order(picked: list[Series], wanted: Wanted, amount: Amount, chosen: Sequence[Collection]) -> None:
    """The button says how many series and bytes; without a choice all that fit are meant."""
    count = len(picked) or amount.series
    size = sum(one.size_bytes for one in picked) if picked else amount.size_bytes
    free = resources.downloads().free_bytes()
    st.caption(
        f"{'Chosen' if picked else 'All'}: {count:,} series, {shelf_downloads.size_words(size)}. "
        f"{shelf_downloads.size_words(free)} are free here. Origin, licence and attribution stay with every image."
    )
    with st.expander("De-identification", icon=":material/shield_person:"):
        rules = deidentify_form.rules("idc")
    label = f"Download {count:,} series, {shelf_downloads.size_words(size)}"
    if not st.button(label, key="idc_download", type="primary", icon=":material/download:"):
        return
    if count > SERIES_MAX:
        raise RequestError(f"{count:,} series are chosen; choose at most {SERIES_MAX:,} at once.")
    series = picked or resources.collections().series(wanted, SERIES_MAX)
    names = ", ".join(one.title for one in chosen)
    title = f"{count:,} series of {names if len(names) < 80 else names[:77] + '...'}"
    resources.downloads().start(series, title, rules, session.user())
    st.rerun()

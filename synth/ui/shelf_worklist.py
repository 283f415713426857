"""The worklist of a PACS: studies that match, the series of one, and its way into the library, de-identified.

What the PACS says of patients is shown to the one who asked and kept by this browser tab alone: it is neither in the
address nor in a log, the store or the audit trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

from synth.intake.archives import Wish
from synth.intake.orders import Order
from synth.library.pacs import Node, Query, SeriesRow, StudyRow
from synth.ui import deidentify_form, resources, session, shelf_edit, views, waiting

STUDIES, SERIES, ROUND, OF = "pacs-studies", "pacs-series", "pacs-round", "pacs-series-of"
MODALITIES = ("CR", "DX", "CT", "MR", "PT", "MG", "US", "XA", "NM", "OT")
STUDY_COLUMNS = ("Patient", "Patient ID", "Sex", "Date", "Modality", "Description", "Accession", "Series", "Images")
ROW_PX = 31  # of a table
ROWS_SHOWN = 10


def forget() -> None:
    """Forget every answer of a PACS."""
    waiting.forget(STUDIES)
    waiting.forget(SERIES)


def show(node: Node) -> None:
    """The form, the studies found, and the one that is chosen."""
    with views.show_error():
        _form(node)
    found: Sequence[StudyRow] | None = waiting.heard(STUDIES, f"Searching {node.name}")
    if found is None:
        return
    if not found:
        st.caption("No study fits.")
        return
    study = _chosen(sorted(found, key=lambda row: row.date or date.min, reverse=True))
    if study is not None:
        with views.show_error():
            _study(node, study)


def _form(node: Node) -> None:
    """What to look for. An error leaves everything as it was typed."""
    with st.form("pacs_query", border=False), st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        name = st.text_input("Patient name", key="pacs_name", placeholder="DOE*", width=150, autocomplete="off",
                             help="\\* stands for any letters, ? for one")  # fmt: skip
        patient = st.text_input("Patient ID", key="pacs_id", width=110, autocomplete="off")
        accession = st.text_input("Accession", key="pacs_accession", width=100, autocomplete="off")
        description = st.text_input("Description", key="pacs_description", placeholder="*CHEST*", width=130)
        modality = st.selectbox(
            "Modality", MODALITIES, None, key="pacs_modality", placeholder="any", accept_new_options=True, width=100
        )
        first = st.date_input("From", None, key="pacs_from", width=130)
        last = st.date_input("To", None, key="pacs_to", width=130)
        limit = st.number_input("At most", value=100, step=50, key="pacs_limit", width=96)
        asked = st.form_submit_button("Search", type="primary", icon=":material/search:")
    if not asked:
        return
    forget()
    query = Query(
        name.strip(), patient.strip(), first, last, (modality or "").strip().upper(), description.strip(),
        accession.strip(), int(limit),
    )  # fmt: skip
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1  # rows that were chosen are of another answer
    waiting.ask(STUDIES, resources.archives().studies(node.name, query, session.user()))


def _chosen(found: Sequence[StudyRow]) -> StudyRow | None:
    """The studies as a table in which one can be chosen; a single one is."""
    limit = int(st.session_state.get("pacs_limit") or 0)
    more = ", the limit: narrow the search for the others" if len(found) == limit else ""
    st.markdown(f"**{len(found):,}** {'study' if len(found) == 1 else 'studies'}{more}")
    state: Any = st.dataframe(
        [dict(zip(STUDY_COLUMNS, _cells(row), strict=True)) for row in found],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"pacs-studies-table-{st.session_state.get(ROUND, 0)}",
        height=ROW_PX * (1 + min(ROWS_SHOWN, len(found))) + 2,
        column_config={"Date": st.column_config.DateColumn(format="YYYY-MM-DD")},
    )
    rows: list[int] = state.selection.rows
    if rows:
        return found[rows[0]]
    if len(found) == 1:
        return next(iter(found))
    st.caption("Choose a study by the box at the left of its row.")
    return None


def _cells(row: StudyRow) -> tuple[Any, ...]:
    return (
        row.patient_name.replace("^", " ").strip(), row.patient_id, row.patient_sex, row.date,
        ", ".join(row.modalities), row.description, row.accession, row.series, row.instances,
    )  # fmt: skip


def _study(node: Node, study: StudyRow) -> None:
    """The series of the study beside the form that brings it in."""
    if st.session_state.get(OF) != (node.name, study.study_uid):
        st.session_state[OF] = (node.name, study.study_uid)
        waiting.ask(SERIES, resources.archives().series(node.name, study.study_uid))
    listed: Sequence[SeriesRow] | None = waiting.heard(SERIES, f"Asking {node.name} for the series")
    if listed is None:
        return
    table, order = st.columns([13, 11], gap="large")
    with table:
        series = _series(sorted(listed, key=lambda row: (row.number is None, row.number or 0)))
    with order, views.show_error():
        _retrieve(node, study, listed, series)


def _series(listed: Sequence[SeriesRow]) -> SeriesRow | None:
    """The series as a table; one that is chosen is fetched alone."""
    st.markdown("**Series**")
    state: Any = st.dataframe(
        [
            {
                "Number": row.number,
                "Modality": row.modality,
                "Description": row.description,
                "Body part": row.body_part.lower(),
                "Images": row.instances,
            }
            for row in listed
        ],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"pacs-series-table-{st.session_state.get(ROUND, 0)}-{listed[0].study_uid}",
    )
    rows: list[int] = state.selection.rows
    return listed[rows[0]] if rows else None


def _retrieve(node: Node, study: StudyRow, listed: Sequence[SeriesRow], series: SeriesRow | None) -> None:
    """Whose it is, the rules, and the button."""
    what = "the whole study" if series is None else f"series {series.number or ''}".strip()
    left, right = st.columns(2, gap="small")
    origin = left.text_input("Where the images come from", f"PACS {node.name}", key=f"pacs_origin_{node.name}")
    licence = right.selectbox(
        "Licence", shelf_edit.LICENCES, None, key="pacs_licence", accept_new_options=True,
        placeholder="unknown", persist_state="session",
    )  # fmt: skip
    with st.expander("De-identification", icon=":material/shield_person:"):
        rules = deidentify_form.rules("pacs")
    if not st.button(f"Retrieve {what}", key="pacs_retrieve", type="primary", icon=":material/download:"):
        return
    files = sum(row.instances or 0 for row in (listed if series is None else [series]))
    modalities = "/".join(sorted({row.modality for row in (listed if series is None else [series]) if row.modality}))
    title = f"{modalities or 'study'} from {node.name}" + (f", {files:,} files" if files else "")
    order = Order(
        resources.settings().home, title, origin.strip(), (licence or "unknown").strip(), "", rules.retain,
        rules.burnt_in, rules.refuse_faces,
    )  # fmt: skip
    wish = Wish(node.name, study.study_uid, None if series is None else series.series_uid, title, order)
    resources.archives().fetch(wish, session.user())
    st.toast(f"Retrieving {views.escaped(title)}", icon=":material/download:")

"""The audit trail on the screen: filtered rows, newest first, their export, and whether all of it is as it was written.

The address holds the filters and the row that is open.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import streamlit as st

from synth import heads
from synth.audit import sentences
from synth.errors import RequestError
from synth.export.tables import csv_bytes
from synth.governance import Permission, require
from synth.governance.audit import Entry, Verdict
from synth.store.trail import Sought, Trail
from synth.types import AuditEvent
from synth.ui import admin_audit_row, resources, session, shelf_place, views

PAGE = 25  # rows
SUBJECT = 16  # characters of a subject in the list; the row has it whole
WIDTHS = (1, 2.4, 1.6, 2, 3, 2.6, 3)
HEADS = ("Row", "When", "Who", "What", "Image, job or other subject", "Model, seed", "Why")
FILTERS = ("who", "action", "subject", "from", "to", "q")
TYPES = {"csv": "text/csv", "jsonl": "application/jsonl"}
DAYS = (date(2000, 1, 1), date(2099, 12, 31))  # that can be asked for
VERDICT = "audit_verdict"
RETENTION = """
**Kept as long as the database is.** The app never deletes or changes a row, and the database refuses to. That meets
what asks for a time: six years for HIPAA documentation (45 CFR 164.316(b)(2)(i)), as long as the record itself for
21 CFR 11.10(e). Whoever retires the database keeps it, or an export of it, that long.

**Who is named.** The accounts of those who acted, and the ids of images, jobs and imports. Prompts, patients' names and
identifiers are not written: of a request there is the SHA-256 alone. Reasons are kept as they were typed.
"""


def panel() -> None:
    """The row that the address names, else the trail. Raises PolicyError for those who may not read it."""
    require(session.person(), Permission.AUDIT)
    if st.query_params.get("row"):
        st.button("All rows", key="audit_back", icon=":material/arrow_back:", type="tertiary", on_click=_close)
        admin_audit_row.show(shelf_place.number("row"))
        return
    if problem := resources.heads().problem:
        st.warning(problem)
    _filters()
    sought = _sought()
    count = resources.store().trail.count(sought)
    _bar(count, sought)
    pages = max(1, -(-count // PAGE))
    page = min(pages, max(1, shelf_place.number("page", 1)))
    _table(resources.store().trail.page(sought, PAGE, (page - 1) * PAGE))
    if pages > 1:
        shelf_place.pages(pages, page, "audit")
    with st.expander("How long it is kept, and who is named"):
        st.markdown(RETENTION)


def _close() -> None:
    shelf_place.go(row=None, copy=None)


def _filters() -> None:
    who, actions = _names()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        shelf_place.choice("Who", "who", who, width_px=170)
        shelf_place.choice("What", "action", actions, width_px=190)
        for label, name, width in (("Image, job or other subject", "subject", 260), ("Words", "q", 180)):
            key = f"shelf_{name}"
            st.session_state[key] = st.query_params.get(name, "")
            st.text_input(label, key=key, on_change=shelf_place.noted, args=(name,), width=width)
        for label, name in (("First day", "from"), ("Last day", "to")):
            key = f"shelf_{name}"
            st.session_state[key] = _day(name)
            st.date_input(label, None, *DAYS, key=key, on_change=shelf_place.noted, args=(name,), width=130,
                          format="YYYY-MM-DD")  # fmt: skip


@st.cache_data(ttl=10, max_entries=1, show_spinner=False)
def _names() -> tuple[list[str], list[str]]:
    return resources.store().trail.names()


def _sought() -> Sought:
    """The filters of the address; days are those of the browser's time zone. Raises RequestError."""
    asked = {name: st.query_params.get(name, "")[: shelf_place.LONGEST].strip() for name in FILTERS}
    first, last = _day("from"), _day("to")
    return Sought(
        asked["who"],
        asked["action"],
        asked["subject"],
        None if first is None else datetime.combine(first, time(), session.zone()),
        None if last is None else datetime.combine(last + timedelta(days=1), time(), session.zone()),
        asked["q"],
    )


def _day(name: str) -> date | None:
    text = st.query_params.get(name)
    if not text:
        return None
    with suppress(ValueError):
        if DAYS[0] <= (day := date.fromisoformat(text)) <= DAYS[1]:
            return day
    raise RequestError(f"The address says {name}={text!r:.20}, which must be a day like 2026-05-04.")


def _bar(count: int, sought: Sought) -> None:
    """How many rows fit, what can be done with them, and the verdict on all."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{count:,}** {'row' if count == 1 else 'rows'}", width="content")
        if any(map(shelf_place.given, FILTERS)):
            st.button("Clear filters", key="audit_clear", type="tertiary", on_click=_clear)
        st.space("stretch")
        trail, who = resources.store().trail, session.user()
        for kind, label in (("csv", "Export as CSV"), ("jsonl", "Export as JSON lines")):
            st.download_button(
                label, partial(exported, trail, kind, sought, who), f"audit-trail.{kind}", TYPES[kind],
                key=f"audit_{kind}", on_click="ignore", disabled=not count, help=HELP[kind],
            )  # fmt: skip
        verify = st.button("Verify the trail", key="audit_verify", icon=":material/verified:")
    if verify:
        st.session_state[VERDICT] = verified(session.user())
        st.rerun()  # the verification is a row itself
    if VERDICT in st.session_state:
        _verdict(*st.session_state[VERDICT])


HELP = {
    "csv": "The rows that fit the filters. A cell that a spreadsheet would run as a formula gets an apostrophe in "
    "front. The export is itself a row of the trail.",
    "jsonl": "The rows that fit the filters, each as it was hashed, with its hash. The export is itself a row.",
}


def _clear() -> None:
    shelf_place.go(**dict.fromkeys((*FILTERS, "page")))


def exported(trail: Trail, kind: str, sought: Sought, who: str) -> bytes:
    """The rows that fit as a file, oldest first, and the event that says so. Raises StoreError."""
    with trail.snapshot(sought) as (_, rows):
        if kind == "csv":
            file = csv_bytes([field.name for field in fields(Entry)], map(asdict, rows))
        else:
            file = b"".join(entry.line() for entry in rows)
    trail.add(AuditEvent(datetime.now(UTC), who, "audit.export", "", "", {"format": kind, **sought.words()}))
    return file


def verified(who: str) -> tuple[Verdict, int, datetime]:
    """Verify the whole trail under a progress bar, and keep the event that says how it came out."""
    home, trail = resources.settings().home, resources.store().trail
    found, unreadable = heads.read(heads.place(home, resources.rules().heads))
    bar = st.progress(0.0, text="Verifying")

    def told(done: int, total: int) -> None:
        bar.progress(min(1.0, done / max(1, total)), text=f"Verifying: {done:,} of {total:,} rows")

    verdict = heads.verified(trail, found, heads.read_keys(home / heads.PUBLIC), told)
    bar.empty()
    at = datetime.now(UTC)
    detail = {"rows": verdict.rows, "heads": verdict.heads, "valid": verdict.valid, "row": verdict.row}
    trail.add(AuditEvent(at, who, "audit.verify", "", "", detail))
    return verdict, unreadable, at


def _verdict(verdict: Verdict, unreadable: int, at: datetime) -> None:
    first, *others = sentences(verdict, unreadable)
    (st.success if verdict.valid else st.error)(f"{first} Verified at {at.astimezone(session.zone()):%H:%M:%S}.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(" ".join(others))
        if verdict.row and resources.store().trail.entry(verdict.row):
            st.button(f"Open row {verdict.row:,}", key="audit_broken", on_click=_open, args=(verdict.row,))


def _table(entries: list[Entry]) -> None:
    if not entries:
        st.caption("No row fits.")
        return
    for column, head in zip(st.columns(WIDTHS), HEADS, strict=True):
        column.caption(head)
    for entry in entries:
        row = st.columns(WIDTHS, vertical_alignment="center")
        row[0].button(f"{entry.seq:,}", key=f"audit-{entry.seq}", type="tertiary", on_click=_open, args=(entry.seq,))
        made_by = ", ".join(part for part in (entry.known("model"), entry.known("seed")) if part)
        cells = (admin_audit_row.when(entry), entry.who, entry.action, entry.subject[:SUBJECT], made_by, entry.reason)
        for column, cell in zip(row[1:], cells, strict=True):
            column.markdown(views.escaped(cell))


def _open(seq: int) -> None:
    shelf_place.go(row=str(seq), copy=None)

"""Imports: how far one is, what became of each of its files, and the last ones. Polled only while one is open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from synth.export.tables import csv_bytes
from synth.store.holding_records import Import, ImportState, Outcome
from synth.store.imports import Imports
from synth.ui import resources, session, shelf_place, views

POLL_S = 1.0
LATEST = 20
ROWS = 100  # of the report on one page
EVERY_ROW = 1_000_000  # of the report as CSV
OPEN = (ImportState.WAITING, ImportState.RUNNING)
STATES = {
    ImportState.WAITING: "waiting",
    ImportState.RUNNING: "running",
    ImportState.DONE: "done",
    ImportState.STOPPED: "stopped",
    ImportState.FAILED: "failed",
}
COLOURS = {ImportState.DONE: "green", ImportState.FAILED: "red", ImportState.STOPPED: "orange"}
COLUMNS = ("file", "outcome", "pictures", "reason")


def opened(import_id: str) -> None:
    """One import: title, progress, report."""
    st.button("All imports", key="imports_back", icon=":material/arrow_back:", type="tertiary", on_click=_close)
    made = resources.store().imports.get(import_id)
    st.fragment(_standing, run_every=POLL_S if made.state in OPEN else None)(import_id, made.state in OPEN)
    _order(made)
    if made.state not in OPEN:
        with views.show_error():
            _report(made)


def _close() -> None:
    shelf_place.go(**{"import": None}, outcome=None, page=None)


def _standing(import_id: str, was_open: bool) -> None:
    """Progress with stop, or how it ended with resume. A fragment: it polls alone."""
    with views.show_error():
        made = resources.store().imports.get(import_id)
        if was_open and made.state not in OPEN:
            resources.library().refresh()
            st.rerun()
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{views.escaped(title(made))}**", width="content")
            st.badge(STATES[made.state], color=COLOURS.get(made.state, "blue"))  # type: ignore[arg-type]
            st.space("stretch")
            _buttons(made)
        if made.error:
            st.error(made.error)
        if made.state in OPEN:
            st.progress(share(made), text=progress_sentence(made, *_pace(made)))
        st.caption(counts_sentence(made))


def _buttons(made: Import) -> None:
    if made.state in OPEN and st.button("Stop", key="import_stop", icon=":material/stop:"):
        resources.importer().stop(made.id, session.user())
        st.rerun()
    if made.state in (ImportState.STOPPED, ImportState.FAILED):
        again = st.button("Resume", key="import_resume", icon=":material/play_arrow:", help="Files that are through "
                          "are not read again.")  # fmt: skip
        if again:
            resources.importer().resume(made.id, session.user())
            st.rerun()
    if made.counts.get(Outcome.ADDED) and st.button("See its images", key="import_images", type="tertiary"):
        resources.library().refresh()
        st.query_params.from_dict({"of": made.id})
        st.rerun()


def title(made: Import) -> str:
    """What an import is called."""
    return str(made.order.get("title") or "import")


def share(made: Import) -> float:
    """Files that are through of all, 0 while they are being counted."""
    return min(1.0, made.done / made.total) if made.total else 0.0


def _pace(made: Import) -> tuple[int, float]:
    """Files and seconds since this tab looked first: an import that was resumed has a start long ago."""
    now = datetime.now(UTC)
    looks = st.session_state.setdefault("import_looks", {})
    first, at = looks.setdefault(made.id, (made.done, now))
    return made.done - first, (now - at).total_seconds()


def progress_sentence(made: Import, files: int, seconds: float) -> str:
    """As "120 of 5,000 files, 14 a second, about 6 min left"."""
    if made.state is ImportState.WAITING:
        return "Waiting for its turn"
    if not made.total:
        return f"{made.done:,} files so far; they are still being counted"
    told = f"{made.done:,} of {made.total:,} files"
    if files <= 0 or seconds < POLL_S:
        return told
    rate = files / seconds
    left_s = (made.total - made.done) / rate
    return f"{told}, {rate:.{0 if rate >= 10 else 1}f} a second, about {_span(left_s)} left"


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, math.ceil(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def counts_sentence(made: Import) -> str:
    """As "118 files added, 1 duplicate, 1 refused"."""
    counts = made.counts
    return (
        f"{counts.get(Outcome.ADDED, 0):,} files added, {counts.get(Outcome.DUPLICATE, 0):,} there already, "
        f"{counts.get(Outcome.REFUSED, 0):,} refused"
    )


def _order(made: Import) -> None:
    order = made.order
    parts = (order.get("origin"), order.get("licence"), f"begun {_when(made.started_at)} by {made.user}")
    st.caption(views.escaped(". ".join(str(part) for part in parts if part)))


def _when(at: datetime) -> str:
    return f"{at.astimezone(session.zone()):%Y-%m-%d %H:%M}"


def _report(made: Import) -> None:
    """What became of the files, one outcome at a time, and all of it as CSV."""
    outcomes = {outcome.value: outcome for outcome in Outcome if made.counts.get(outcome)}
    if not outcomes:
        return
    asked = st.query_params.get("outcome") or ("refused" if "refused" in outcomes else next(iter(outcomes)))
    st.session_state["import_outcome"] = asked if asked in outcomes else next(iter(outcomes))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        chosen = st.segmented_control(
            "Files", tuple(outcomes), required=True, key="import_outcome", on_change=_chosen,
            format_func=lambda name: f"{_word(name)} {made.counts[outcomes[name]]:,}", label_visibility="collapsed",
        )  # fmt: skip
        st.space("stretch")
        st.download_button(
            "Report as CSV",
            partial(_csv, resources.store().imports, made.id),
            f"import-{made.id[:8]}.csv",
            "text/csv",
            on_click="ignore",
        )
    outcome = outcomes[chosen or next(iter(outcomes))]
    pages = max(1, -(-made.counts[outcome] // ROWS))
    page = min(pages, max(1, shelf_place.number("page", 1)))
    _table(_rows(resources.store().imports, made.id, outcome, ROWS, (page - 1) * ROWS))
    if pages > 1:
        shelf_place.pages(pages, page, "import")


def _table(rows: Sequence[Mapping[str, object]]) -> None:
    """A plain table: the grid of `st.dataframe` has a CSV button of its own that does not disarm formulas."""
    heads = {"file": "File", "pictures": "Pictures", "reason": "Why, or what was done to it"}
    st.table([{head: views.escaped(str(row[name])) for name, head in heads.items()} for row in rows], hide_index=True)


def _word(outcome: str) -> str:
    return {"duplicate": "there already"}.get(outcome, outcome).capitalize()


def _chosen() -> None:
    shelf_place.go(outcome=st.session_state.get("import_outcome"), page=None)


def _rows(
    imports: Imports, import_id: str, outcome: Outcome | None, limit: int, offset: int = 0
) -> list[dict[str, object]]:
    files = imports.report(import_id, outcome, limit, offset)
    return [
        {"file": file.name, "outcome": file.outcome.value, "pictures": file.pictures, "reason": file.reason}
        for file in files
    ]


def _csv(imports: Imports, import_id: str) -> bytes:
    return csv_bytes(COLUMNS, _rows(imports, import_id, None, EVERY_ROW))


def latest() -> None:
    """The last imports, each to be opened."""
    st.markdown("**Last imports**")
    made = resources.store().imports.latest(LATEST)
    if not made:
        st.caption("Nothing was imported yet.")
    _list(made)


def _list(imports: Sequence[Import]) -> None:
    for made in imports:
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(gap="xxsmall"):
                st.markdown(views.escaped(title(made)))
                st.caption(f"{_when(made.started_at)}. {counts_sentence(made)}")
            st.badge(STATES[made.state], color=COLOURS.get(made.state, "blue"))  # type: ignore[arg-type]
            st.button("Open", key=f"import-open-{made.id}", on_click=_open, args=(made.id,))


def _open(import_id: str) -> None:
    shelf_place.go(**{"import": import_id, "tab": "import", "outcome": None, "page": None})

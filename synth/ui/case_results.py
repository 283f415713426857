"""How a set was read: a line for each trainee's sitting, and one for each case, so that the hard ones show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from synth.export.tables import csv_bytes
from synth.findings import term
from synth.reading import tally
from synth.reading.cases import CaseSet, Entry
from synth.reading.performance import Proportion
from synth.ui import resources

SITTINGS_MAX = 2000  # that are counted, the latest
COLUMNS = (
    "reader", "started_utc", "finished", "answered", "cases", "right", "share", "low_95", "high_95", "median_s",
)  # fmt: skip


def show(case_set: CaseSet) -> None:
    """Both tables and the first of them as CSV; one sentence while nobody has read anything."""
    sessions = resources.store().sittings.sessions(source=case_set.id, limit=SITTINGS_MAX)
    lines = tally.by_sitting(sessions)
    if not lines:
        st.caption("Nobody has read this set yet. Open it and send its code; what is answered appears here at once.")
        return
    readers, cases = st.columns(2, gap="medium")
    with readers:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**Trainees** :gray[{len(lines)} {'sitting' if len(lines) == 1 else 'sittings'}]")
            st.download_button(
                "CSV", partial(table, lines), f"results-{case_set.code}.csv", "text/csv", on_click="ignore"
            )
        _sittings(lines)
    with cases:
        st.markdown("**Cases** :gray[the hardest first]")
        _cases(tally.by_case(case_set, sessions))


def _sittings(lines: Sequence[tally.SittingLine]) -> None:
    st.dataframe(
        [
            {
                "Reader": line.reader,
                "Started": f"{line.started_at.astimezone():%Y-%m-%d %H:%M}",
                "Answered": f"{line.answered} of {line.length}",
                "Right": _percent(line.right),
                "95 % interval": _interval(line.right),
                "Median": _seconds(line.median_s),
            }
            for line in lines
        ],
        hide_index=True,
        column_config={"Right": _bar()},
        alt="A row for each sitting",
    )
    st.caption("First answers count. The interval is Wilson's: with few cases it is wide.")


def _cases(lines: Sequence[tally.CaseLine]) -> None:
    hardest = sorted(lines, key=lambda line: line.right.value if line.right else 2.0)
    st.dataframe(
        [
            {
                "Case": line.name,
                "Shows": _shown(line.entry),
                "Right": _percent(line.right),
                "Of": line.right.total if line.right else 0,
                "95 % interval": _interval(line.right),
                "Median": _seconds(line.median_s),
            }
            for line in hardest
        ],
        hide_index=True,
        column_config={"Right": _bar(), "Of": st.column_config.NumberColumn("Of", help="Answers")},
        alt="A row for each case",
    )


def _shown(entry: Entry | None) -> str:
    """The findings of a case of the set; "real" for a real one, whose labels stand in the review."""
    if entry is None:
        return ""
    if entry.recipe is None:
        return "real"
    return ", ".join(term(finding.code).name for finding in entry.recipe.findings) or "normal"


def table(lines: Sequence[tally.SittingLine]) -> bytes:
    """The sittings as CSV, times in UTC and s, shares from 0 to 1."""
    return csv_bytes(COLUMNS, [_row(line) for line in lines])


def _row(line: tally.SittingLine) -> dict[str, object]:
    right = line.right
    return {
        "reader": line.reader,
        "started_utc": f"{line.started_at:%Y-%m-%d %H:%M:%S}",
        "finished": "yes" if line.ended else "no",
        "answered": line.answered,
        "cases": line.length,
        "right": right.successes if right else None,
        "share": f"{right.value:.4f}" if right else None,
        "low_95": f"{right.interval.low:.4f}" if right else None,
        "high_95": f"{right.interval.high:.4f}" if right else None,
        "median_s": f"{line.median_s:.1f}" if line.median_s is not None else None,
    }


def _bar() -> Any:
    return st.column_config.ProgressColumn("Right", min_value=0, max_value=100, format="%d %%")


def _percent(share: Proportion | None) -> float | None:
    return None if share is None else round(100 * share.value, 1)


def _interval(share: Proportion | None) -> str:
    return "" if share is None else f"{share.interval.low:.0%} to {share.interval.high:.0%}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"

"""Every case that was read, the latest first: filtered, in pages, each to be opened again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import streamlit as st

from synth.reading.answers import Task
from synth.reading.progress import Read
from synth.ui.progress_findings import name
from synth.ui.quiz_words import MODES, SHORT

QUIZ = "pages/quiz.py"
PAGE = 12
WHEN_PX, CELLS_PX = 200, (150, 150, 110, 60)
RIGHT, WRONG, UNTOLD = "right", "not right", "not told"
RESULTS = {True: RIGHT, False: WRONG, None: UNTOLD}
HALF = 0.5  # a score from here on is partly right


def show(answers: Sequence[Read], zone: tzinfo) -> None:
    """The history under its filters. A fragment: turning a page draws nothing else again."""
    st.subheader("Every case again", anchor=False)
    st.fragment(_history)(answers, zone)


def params(wanted: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a link to the reading room, with the name of whoever reads."""
    reader = st.query_params.get("reader")
    return {**wanted, **({"reader": reader} if reader else {})}


def _history(answers: Sequence[Read], zone: tzinfo) -> None:
    asked = [task for task in Task if any(read.task is task for read in answers)]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        task = st.selectbox(
            "Task", asked, None, format_func=SHORT.__getitem__, placeholder="all", key="progress_task", width=220
        )
        result = st.selectbox(
            "Answer", (RIGHT, WRONG, UNTOLD), None, placeholder="all", key="progress_result", width=220
        )
    found = [read for read in answers if task in (None, read.task) and result in (None, RESULTS[read.correct])]
    pages = max(1, -(-len(found) // PAGE))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{len(found)} of {len(answers)} answers")
        # The number of pages is part of the key: a page that is gone under a new filter is not asked for.
        page = st.pagination(pages, key=f"progress_page_{pages}") if pages > 1 else 1
    for read in found[(page - 1) * PAGE : page * PAGE]:
        _row(read, zone)


def _row(read: Read, zone: tzinfo) -> None:
    """Cells of one width each, that flow into lines on a small screen."""
    at = read.at.astimezone(zone)
    when = f"{at.day} {at:%b %Y, %H:%M}"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if read.correct is None:
            st.markdown(when, width=WHEN_PX)
        else:
            place = {"session": read.session, "case": str(read.position + 1)}
            icon = ":material/open_in_full:"
            st.page_link(QUIZ, label=when, icon=icon, query_params=params(place), width=WHEN_PX)
        words = (_result(read), SHORT[read.task], MODES[read.mode], f"{read.seconds:.0f} s")
        for text, width in zip(words, CELLS_PX, strict=True):
            st.markdown(text, width=width)
        st.markdown(", ".join(name(code) for code, _ in read.codes), width="content")


def _result(read: Read) -> str:
    if read.correct is None or read.score is None:
        return f":gray[{UNTOLD}]"
    if read.correct:
        return ":green[✓ right]"
    return f":orange[◐ partly, {read.score:.0%}]" if read.score >= HALF else ":red[✗ not right]"

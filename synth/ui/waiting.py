"""Answers that a page waits for without standing still: the question is kept by the browser tab and looked at again."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import streamlit as st

from synth.intake.questions import Question

POLL_S = 0.3
PATIENCE_S = 0.25  # most answers come sooner than a spinner is worth

T = TypeVar("T")


def ask(key: str, question: Question[T]) -> None:
    """Have the answer to a question shown from now on; an earlier one under this key is forgotten."""
    st.session_state[f"{key}-asked"], st.session_state[f"{key}-at"] = question, time.monotonic()


def forget(key: str) -> None:
    """Forget question and answer."""
    st.session_state.pop(f"{key}-asked", None)


def heard(key: str, words: str) -> Any:
    """The answer, None without a question and while none has come. Raises the SynthError that it ended with.

    `words` say what is being waited for. The whole page runs again when the answer is there.
    """
    question: Question[Any] | None = st.session_state.get(f"{key}-asked")
    if question is None:
        return None
    if not question.wait(PATIENCE_S):
        st.fragment(_wait, run_every=POLL_S)(key, words)
        return None
    return question.answer()


def _wait(key: str, words: str) -> None:
    question: Question[Any] | None = st.session_state.get(f"{key}-asked")
    if question is None or question.over:
        st.rerun()
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        seconds = time.monotonic() - st.session_state.get(f"{key}-at", time.monotonic())
        st.status(f"{words}, {seconds:.0f} s", state="running")
        if st.button("Do not wait", key=f"{key}-forget", type="tertiary"):
            forget(key)
            st.rerun()

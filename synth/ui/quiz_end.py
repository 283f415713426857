"""The end of a session: how it went, and every case to look at again where the truth may be told."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import streamlit as st

from synth.reading.answers import Task
from synth.reading.performance import proportion
from synth.reading.sessions import Mode, ReadingSession
from synth.ui import quiz_place, quiz_words, resources


def show(session: ReadingSession) -> None:
    """End what is answered to the last case, then the results, or thanks where there are none to tell."""
    if session.ended_at is None:
        if session.plan.back:
            _confirm(session)
            return
        resources.desk(session).end(session, datetime.now(UTC))
        quiz_place.again()
    st.subheader(f"{quiz_words.MODES[session.plan.mode]}: done", anchor=False)
    if session.plan.mode is Mode.STUDY:
        st.markdown(
            f"Thank you. All {len(session.answers)} answers are kept; a study tells nothing before it is locked."
        )
    elif not session.answers:
        st.markdown("Nothing was answered.")
    else:
        _results(session)
    if st.button("Back to the reading room", type="primary", key="quiz_leave", shortcut="Esc"):
        quiz_place.leave()
        st.rerun(scope="app")


def _confirm(session: ReadingSession) -> None:
    st.markdown(f"All {session.plan.length} cases are answered.")
    with st.container(horizontal=True, gap="small"):
        if st.button("Finish the exam", type="primary", shortcut="Enter"):
            resources.desk(session).end(session, datetime.now(UTC))
            quiz_place.again()
        if st.button("Look again", shortcut="Left"):
            quiz_place.turn_to(session.plan.length - 1)
            quiz_place.again()


def _results(session: ReadingSession) -> None:
    answers = [session.answers[position] for position in sorted(session.answers)]
    tasks: dict[Task, list[bool]] = {}
    for answered in answers:
        tasks.setdefault(session.dealt[answered.position].item.task, []).append(answered.grade.correct)
    columns = st.columns(len(tasks) + 1)
    for column, (task, right) in zip(columns, tasks.items(), strict=False):
        share = proportion(sum(right), len(right))
        assert share is not None
        low, high = share.interval.low, share.interval.high
        column.metric(quiz_words.SHORT[task], f"{sum(right)} of {len(right)}", border=True)
        column.caption(f"{share.value:.0%} right, 95 % interval {low:.0%} to {high:.0%}")
    columns[-1].metric("Median time", f"{np.median([a.seconds for a in answers]):.0f} s", border=True)
    unread = session.plan.length - len(answers)
    if unread:
        st.caption(f"{unread} of {session.plan.length} cases were not answered.")
    _cases(session)


def _cases(session: ReadingSession) -> None:
    """A tile a case; each opens it again with the truth."""
    with st.container(horizontal=True, gap="small"):
        for position, dealt in enumerate(session.dealt):
            answered = session.answers.get(position)
            sign = "-" if answered is None else "✓" if answered.grade.correct else "✗"
            words = f"{sign} {position + 1}"
            told = quiz_words.truth(dealt.item)
            if st.button(words, key=f"look-{position}", help=told, disabled=not session.told):
                quiz_place.turn_to(position)
                quiz_place.again()

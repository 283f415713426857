"""The truth after the answer: what was right, what is so, why, and images like it."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

import streamlit as st

from synth.errors import SynthError
from synth.findings import VOCABULARY
from synth.reading.answers import Task
from synth.reading.explanations import EXPLANATIONS, explanation
from synth.reading.sessions import Answered, Dealt, ReadingSession
from synth.types import SEED_MAX
from synth.ui import gallery, quiz_answer, quiz_place, quiz_withdrawn, quiz_words, resources, views
from synth.ui import session as sessions

TILE_PX = 128


def show(session: ReadingSession, position: int, dealt: Dealt, answered: Answered) -> None:
    """The verdict first."""
    item, done = dealt.item, answered.grade
    st.subheader(f":{'green' if done.correct else 'red'}[{_verdict(answered)}]", anchor=False)
    quiz_withdrawn.tell(dealt)
    st.markdown(f"**{quiz_words.truth(item)}**")
    if item.task is Task.REAL_OR_SYNTHETIC and item.truth.findings:
        st.caption(f"It shows: {', '.join(quiz_words.finding(seen) for seen in item.truth.findings)}.")
    st.markdown(f"You answered: {quiz_words.answer(answered.answer, item)}")
    if answered.revised is not None and answered.revised != answered.answer:
        st.markdown(f"After the classifier's opinion: {quiz_words.answer(answered.revised, item)}")
    for line in quiz_words.verdicts(done):
        st.caption(line)
    if st.button(_onwards(session, position), type="primary", width="stretch", key="quiz_next"):
        quiz_place.turn_to(quiz_place.goes_on(session, position))
        quiz_place.again()
    if dealt.teaching:
        st.markdown(f"Teaching point: {dealt.teaching}")
    _explanations(dealt)
    _opinion(dealt, answered)
    _similar(dealt)


def _verdict(answered: Answered) -> str:
    score = answered.grade.score
    word = "Correct" if answered.grade.correct else "Partly right" if score >= 0.5 else "Not correct"
    return f"{word}, {score:.0%}" if 0 < score < 1 else word


def _onwards(session: ReadingSession, position: int) -> str:
    last = session.next_position is None if session.ended_at is None else position + 1 >= session.plan.length
    return "Results (Enter)" if last else "Next case (Enter)"


def _explanations(dealt: Dealt) -> None:
    codes = dealt.item.truth.named
    for code in (code for code in codes if code in EXPLANATIONS):
        words = explanation(code)
        with st.expander(VOCABULARY[code].name.capitalize(), expanded=len(codes) == 1):
            st.markdown(f"**Signs.** {words.signs}\n\n**Mimics.** {words.mimics}\n\n**Pitfalls.** {words.pitfalls}")
            st.caption(" ".join(words.sources))


def _opinion(dealt: Dealt, answered: Answered) -> None:
    """The classifier's opinion, once it is asked for; what was shown before the last answer is shown again."""
    if answered.opinion:
        quiz_answer.opinion(json.loads(answered.opinion))
    elif st.toggle("The classifier's opinion", key=f"opinion-{dealt.item.id}"):
        with views.show_error():
            quiz_answer.opinion(resources.opinion(dealt.sources[0]))


def _similar(dealt: Dealt) -> None:
    """The image before the lesion was drawn, and the same request under new seeds."""
    kind, _, name = dealt.sources[0].partition(":")
    if kind != "synthetic":
        return
    try:
        image = resources.store().image(name)
    except SynthError:
        return
    with st.expander("Similar cases"), views.show_error():
        edit = image.request.edit
        drawn = st.session_state.get(f"similar-{dealt.item.id}", ())
        with st.container(horizontal=True, gap="small"):
            if edit is not None and edit.origin.startswith("synthetic:"):
                _tile(edit.origin.partition(":")[2], "before the lesion")
            for job in drawn:
                made = views.image_of(job)
                if made:
                    _tile(made, "another seed")
        if st.button("Draw another", key=f"more-{dealt.item.id}", help="The same request with a new seed"):
            again = replace(image.request, seed=secrets.randbelow(SEED_MAX))
            job = resources.engine().submit(again, sessions.user())
            st.session_state[f"similar-{dealt.item.id}"] = (*drawn, job.id)
            quiz_place.again()


def _tile(image_id: str, words: str) -> None:
    image = resources.store().image(image_id)
    with st.container(width=TILE_PX, gap="xxsmall"):
        st.image(gallery.thumbnail(image_id, image.request.mark), width="stretch", alt=f"Synthetic image, {words}")
        st.caption(words)

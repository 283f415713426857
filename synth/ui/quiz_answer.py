"""The question and what answers it: buttons for the mouse that show what the keys have set, and the other way round."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from synth.errors import SynthError
from synth.findings import VOCABULARY
from synth.reading import drafts
from synth.reading.answers import Task
from synth.reading.drafts import Draft
from synth.reading.items import Item
from synth.reading.sessions import Answered, Dealt, ReadingSession
from synth.ui import quiz_place, quiz_words, resources

DRAFT, SINCE = "quiz_draft", "quiz_since"
POLL_S = 1.0


def draft_of(item: Item, before: Answered | None) -> Draft:
    """The draft of this item; a new one begins with the answer that may be changed, or empty."""
    draft = st.session_state.get(DRAFT)
    if isinstance(draft, Draft) and draft.item == item.id:
        return draft
    st.session_state[SINCE] = (item.id, time.monotonic())
    fresh = drafts.again(before.answer, item) if before else Draft(item.id)
    keep(fresh)
    return fresh


def keep(draft: Draft) -> None:
    """Remember the draft until the next run."""
    st.session_state[DRAFT] = draft


def forget() -> None:
    """The answer is in: the next case begins empty."""
    st.session_state.pop(DRAFT, None)


def seconds(item: Item) -> float:
    """How long this browser has shown the item, in s; a clock that is set does not matter."""
    name, at = st.session_state.get(SINCE, ("", 0.0))
    return time.monotonic() - at if name == item.id else 0.0


def header(session: ReadingSession, position: int) -> None:
    """Where one is, that the set is mixed, and the time left."""
    mode = quiz_words.MODES[session.plan.mode]
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.markdown(f"**{mode}** case {position + 1} of {session.plan.length}")
        st.progress(len(session.answers) / session.plan.length, width=160)
        if not session.told or position not in session.answers:
            st.markdown(f":orange[{quiz_words.BANNER}]")
        if session.plan.limit_s is not None and session.ended_at is None:
            st.fragment(_clock, run_every=POLL_S)(session)
        if st.button("Leave", key="quiz_leave", type="tertiary", help="Everything answered is kept"):
            quiz_place.leave()
            st.rerun(scope="app")


def _clock(session: ReadingSession) -> None:
    left = session.left_s(datetime.now(UTC))
    if left == 0:
        st.rerun(scope="app")
    st.markdown(f"{int(left or 0) // 60}:{int(left or 0) % 60:02d} left")


def form(
    session: ReadingSession, dealt: Dealt, draft: Draft, before: Answered | None
) -> tuple[Draft, bool, int | None]:
    """The question with its buttons: the draft after them, whether it is handed in, and the confidence if given."""
    item = dealt.item
    st.subheader(quiz_words.TASKS[item.task], anchor=False)
    if dealt.history:
        st.markdown(f"History: {dealt.history}")
    if before is not None and quiz_place.second_look(session, before):
        _opinion(dealt, before)
    if draft.asking:
        return _confidence(draft)
    label = "Keep or change" if before else "Answer"
    if item.task is Task.REPORT:
        draft, clicked = _report(item, draft)
    else:
        _choices(item, draft)
    st.caption(f"Keys: {quiz_words.HOW[item.task]}.")
    if item.task is not Task.REPORT:
        clicked = st.button(label, type="primary", width="stretch", key=f"answer-{item.id}")
    _back_and_on(session)
    return draft, clicked, None


def _choices(item: Item, draft: Draft) -> None:
    """A button for each key: it does what the key does, and shows what is chosen."""
    wide = item.task is Task.REAL_OR_SYNTHETIC
    with st.container(gap="xsmall" if wide else "small", horizontal=not wide):
        for key, label, chosen in quiz_words.choices(item, draft):
            st.button(
                f"✓ {label}" if chosen else label,
                key=f"choice-{item.id}-{key}",
                type="secondary" if chosen else "tertiary",
                width="stretch" if wide else "content",
                on_click=_chosen,
                args=(item, key),
            )
    if item.task is Task.SEVERITY:
        chosen_so_far = ", ".join(str(number + 1) for number in draft.order)
        st.markdown(f"Mildest first: {chosen_so_far or 'none yet'}")


def _chosen(item: Item, key: str) -> None:
    draft = st.session_state.get(DRAFT)
    if isinstance(draft, Draft) and draft.item == item.id:
        keep(drafts.pressed(draft, key, item))


def _report(item: Item, draft: Draft) -> tuple[Draft, bool]:
    with st.form(f"report-{item.id}", border=False, enter_to_submit=True):
        text = st.text_area("Report", value=draft.text, height=240, placeholder="Findings and impression")
        handed = st.form_submit_button("Hand in", type="primary", width="stretch")
    return replace(draft, text=text), handed


def _confidence(draft: Draft) -> tuple[Draft, bool, int | None]:
    st.markdown("How sure are you? Keys 1 to 6; Backspace goes back to the answer.")
    chosen = None
    with st.container(gap="xsmall"):
        for level, words in enumerate(quiz_words.CONFIDENCE, start=1):
            if st.button(f"{level} {words}", key=f"sure-{draft.item}-{level}", type="tertiary", width="stretch"):
                chosen = level
    return draft, chosen is not None, chosen


def _back_and_on(session: ReadingSession) -> None:
    """In an exam that allows it: to any other case."""
    if not session.plan.back:
        return
    here = quiz_place.position(session) or 0
    with st.container(horizontal=True, gap="small"):
        if st.button("Back", disabled=here == 0, shortcut="Left"):
            forget()
            quiz_place.turn_to(here - 1)
            quiz_place.again()
        if st.button("On", disabled=here + 1 >= session.plan.length, shortcut="Right"):
            forget()
            quiz_place.turn_to(here + 1)
            quiz_place.again()
        if st.button("Finish the exam", disabled=session.next_position is not None):
            resources.desk(session).end(session, datetime.now(UTC))
            quiz_place.turn_to(None)
            quiz_place.again()


def opinion_json(dealt: Dealt) -> str:
    """What the classifier says of the case's image, as JSON; "" where it says nothing of it."""
    try:
        said = resources.opinion(dealt.sources[0])
    except SynthError:
        return ""
    return json.dumps({code: round(share, 4) for code, share in said.items()}, sort_keys=True)


def _opinion(dealt: Dealt, before: Answered) -> None:
    """What the classifier says, beside one's own answer, which may be kept or changed once."""
    st.markdown(f"You answered: {quiz_words.answer(before.answer, dealt.item)}")
    said: dict[str, float] = json.loads(opinion_json(dealt) or "{}")
    if not said:
        st.caption("The classifier says nothing of this image.")
        return
    opinion(said)
    st.markdown("Keep your answer, or change it.")


def opinion(said: dict[str, float]) -> None:
    """The classifier's probabilities, highest first."""
    for code, share in sorted(said.items(), key=lambda pair: -pair[1]):
        st.progress(share, text=f"Classifier: {VOCABULARY[code].name} {share:.0%}")

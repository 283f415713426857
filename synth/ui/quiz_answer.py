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
from synth.reading.answers import Change, Direction, Task
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
    draft, written = _choices(item, draft)
    st.caption(f"Keys: {quiz_words.HOW[item.task]}.")
    label = "Keep or change" if before else "Answer"
    clicked = written or (item.task is not Task.REPORT and st.button(label, type="primary", width="stretch"))
    _back_and_on(session)
    return draft, clicked, None


def _push(key: str, value: object, draft: Draft) -> None:
    """Into the widget what a key has set; what the mouse has set is there already and must not be undone."""
    if key not in st.session_state or draft != st.session_state.get(DRAFT):
        st.session_state[key] = value


def _choices(item: Item, draft: Draft) -> tuple[Draft, bool]:
    match item.task:
        case Task.REAL_OR_SYNTHETIC:
            return _scores(item, draft), False
        case Task.FINDINGS:
            return _findings(item, draft), False
        case Task.CHANGE:
            return _changes(item, draft), False
        case Task.SEVERITY:
            return _order(item, draft), False
        case Task.REPORT:
            return _report(item, draft)
        case Task.WHERE:
            return _nothing(item, draft, "No lesion"), False


def _scores(item: Item, draft: Draft) -> Draft:
    key = f"scores-{item.id}"
    _push(key, draft.score, draft)
    names = dict(enumerate(quiz_words.SCORES, start=1))
    said = {number: f"{number} {words}" for number, words in names.items()}
    score = st.radio("Score", tuple(said), key=key, format_func=said.__getitem__, label_visibility="collapsed")
    return replace(draft, score=score)


def _findings(item: Item, draft: Draft) -> Draft:
    key = f"findings-{item.id}"
    named = dict(zip(item.options, drafts.LETTERS, strict=False))
    _push(key, list(draft.codes), draft)
    codes = st.pills(
        "Findings",
        item.options,
        selection_mode="multi",
        key=key,
        format_func=lambda code: f"{named.get(code, '').upper()} {VOCABULARY[code].name}",
        label_visibility="collapsed",
        wrap=True,
    )
    if tuple(codes) != draft.codes:
        draft = drafts.with_codes(draft, codes)
    return _nothing(item, draft, "Normal")


def _changes(item: Item, draft: Draft) -> Draft:
    named = dict(zip(item.options, drafts.LETTERS, strict=False))
    seen = {change.code: change.direction for change in draft.changes}
    key = f"changes-{item.id}"
    _push(key, list(seen), draft)
    codes = st.pills(
        "Changed",
        item.options,
        selection_mode="multi",
        key=key,
        format_func=lambda code: f"{named.get(code, '').upper()} {VOCABULARY[code].name}",
        label_visibility="collapsed",
        wrap=True,
    )
    changes = []
    for code in codes:
        way = f"way-{item.id}-{code}"
        _push(way, seen.get(code, Direction.APPEARED), draft)
        direction = st.segmented_control(VOCABULARY[code].name, tuple(Direction), key=way, required=True)
        changes.append(Change(code, direction or Direction.APPEARED))
    if tuple(changes) != draft.changes:
        draft = replace(draft, changes=tuple(changes), nothing=draft.nothing and not changes)
    return _nothing(item, draft, "No change")


def _nothing(item: Item, draft: Draft, label: str) -> Draft:
    key = f"nothing-{item.id}"
    _push(key, draft.nothing, draft)
    nothing = st.toggle(f"N {label}", key=key)
    return draft if nothing == draft.nothing else drafts.pressed(draft, drafts.NOTHING, item)


def _order(item: Item, draft: Draft) -> Draft:
    with st.container(horizontal=True, gap="small"):
        for number in range(len(item.pictures)):
            place = f" ({draft.order.index(number) + 1}.)" if number in draft.order else ""
            if st.button(f"Image {number + 1}{place}", key=f"order-{item.id}-{number}"):
                draft = drafts.pressed(draft, drafts.LETTERS[number], item)
                keep(draft)
                st.rerun(scope="fragment")
    chosen = ", ".join(str(number + 1) for number in draft.order)
    st.markdown(f"Mildest first: {chosen or 'none yet'}")
    return draft


def _report(item: Item, draft: Draft) -> tuple[Draft, bool]:
    with st.form(f"report-{item.id}", border=False, enter_to_submit=True):
        text = st.text_area("Report", value=draft.text, height=240, placeholder="Findings and impression")
        handed = st.form_submit_button("Hand in", type="primary", width="stretch")
    return replace(draft, text=text), handed


def _confidence(draft: Draft) -> tuple[Draft, bool, int | None]:
    st.markdown("How sure are you? Keys 1 to 6; Backspace goes back to the answer.")
    names = dict(enumerate(quiz_words.CONFIDENCE, start=1))
    chosen = st.pills("Confidence", tuple(names), format_func=lambda n: f"{n} {names[n]}", key=f"sure-{draft.item}")
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
            st.rerun(scope="fragment")
        if st.button("On", disabled=here + 1 >= session.plan.length, shortcut="Right"):
            forget()
            quiz_place.turn_to(here + 1)
            st.rerun(scope="fragment")
        if st.button("Finish the exam", disabled=session.next_position is not None):
            resources.desk(session).end(session, datetime.now(UTC))
            quiz_place.turn_to(None)
            st.rerun(scope="fragment")


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

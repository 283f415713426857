"""The lobby of the reading room: go on with what was left, start something new, or open what one was invited to."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime

import streamlit as st

from synth.errors import StoreError
from synth.reading.answers import Shape, Task
from synth.reading.cases import CaseSet
from synth.reading.codes import tidied
from synth.reading.items import opaque_id
from synth.reading.sessions import LENGTH_MAX, Mode, Plan
from synth.types import SEED_MAX
from synth.ui import quiz_place, quiz_words, resources, session, views
from synth.ui.quiz_place import Place

STARTS = (Mode.PRACTICE, Mode.DAILY, Mode.SPACED, Mode.EXAM)
USUAL = {Mode.DAILY: 10, Mode.SPACED: 10, Mode.PRACTICE: 10, Mode.EXAM: 20}
SHOWN_OPEN = 4


def show(here: Place) -> None:
    """What can be read now, and by whom."""
    chosen = resources.store().casebook.set_of_code(here.set_code) if here.set_code else None
    begin, beside = st.columns([3, 2], gap="large")
    with begin, views.show_error():
        st.subheader(chosen.title if chosen else "Reading room", anchor=False)
        st.caption(_supply(chosen))
        _start(chosen, here.mode)
    with beside:
        with views.show_error():
            _reader(chosen)
        _unfinished()
        with views.show_error():
            _invited()


def _supply(chosen: CaseSet | None) -> str:
    """How much there is to read, and whether more is being drawn."""
    ready = resources.desk_of((chosen.id,) if chosen else ()).patients
    waiting = resources.waiting_cases(chosen.id if chosen else None)
    more = f"; {waiting} more are being drawn" if waiting else ""
    return f"{ready} cases are ready{more}. Real and synthetic images are mixed, unmarked until they are answered."


def _reader(chosen: CaseSet | None) -> None:
    """The name under which results and progress are kept: the own where people sign in."""
    if not session.may_read_as():
        return
    name = st.text_input(
        "Your name or pseudonym",
        value=session.reader() if session.reader() != session.user() else "",
        key="quiz_name",
        placeholder="whoever set this gets the results under it" if chosen else "for progress of your own",
    )
    session.read_as(name)


def _start(chosen: CaseSet | None, wanted: str) -> None:
    """What to read and how; one button begins it."""
    first = Mode(wanted) if wanted in STARTS else Mode.PRACTICE
    mode = st.segmented_control(
        "How", STARTS, default=first, required=True, format_func=quiz_words.MODES.__getitem__, key="quiz_mode"
    )
    mode = mode or first
    st.caption(_told(mode))
    tasks = st.pills(
        "Tasks",
        tuple(Task),
        selection_mode="multi",
        default=(Task.FINDINGS,),
        format_func=quiz_words.SHORT.__getitem__,
        key="quiz_tasks",
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        plan = _settings(mode, tuple(tasks), chosen)
    if st.button("Begin", type="primary", shortcut="Mod+B", width=220):
        _begin(plan(), chosen)


def _told(mode: Mode) -> str:
    return {
        Mode.PRACTICE: "The truth after each case; the next one suits your skill.",
        Mode.DAILY: "Ten cases a day, the same all day.",
        Mode.SPACED: "Findings that are about to be forgotten come back.",
        Mode.EXAM: "On time, the truth at the end, no case twice.",
    }[mode]


def _settings(mode: Mode, tasks: tuple[Task, ...], chosen: CaseSet | None) -> Callable[[], Plan]:
    """The settings of a mode; the plan is made when the button is pressed, so that its sentence stands there."""
    minutes, back, opinion = None, False, False
    length, share, seed = _choice(mode, chosen)
    if mode is Mode.EXAM:
        minutes = st.number_input("Minutes", 1, 240, 20, key="quiz_minutes", width=110)
        back = st.toggle("May go back", key="quiz_back")
    else:
        opinion = st.toggle(
            "Ask the classifier first", key="quiz_opinion", help="Its opinion after your answer, before the truth"
        )
    shape = Shape.BOX
    if Task.WHERE in tasks:
        shapes = (Shape.POINT, Shape.BOX, Shape.OUTLINE)
        shape = st.selectbox(
            "Mark by", shapes, 1, format_func=quiz_words.SHAPES.__getitem__, key="quiz_shape", width=130
        )

    def plan() -> Plan:
        return Plan(
            mode,
            tasks,
            source=chosen.id if chosen else "",
            length=length,
            normal_share=share,
            seed=seed,
            limit_s=None if minutes is None else 60.0 * minutes,
            back=back,
            shape=shape,
            opinion=opinion,
        )

    return plan


def _choice(mode: Mode, chosen: CaseSet | None) -> tuple[int, float, int]:
    """How many cases, the share of normals, and the seed of chance: 0 for a set as its educator has put it."""
    seed = 1 + secrets.randbelow(SEED_MAX)
    if mode not in (Mode.PRACTICE, Mode.EXAM):
        return USUAL[mode], 0.5, seed
    if chosen and st.toggle("In the order of the set", value=True, key="quiz_order"):
        return LENGTH_MAX, 0.5, 0
    length = int(st.number_input("Cases", 1, LENGTH_MAX, USUAL[mode], key=f"quiz_length_{mode}", width=110))
    percent = st.number_input("Normals, %", 0, 100, 50, 5, key="quiz_normals", width=120)
    return length, percent / 100, seed


def _begin(plan: Plan, chosen: CaseSet | None) -> None:
    """Deal and sit down. The daily ten of one reader and day are one session, in however many tabs."""
    reader, now = session.reader(), datetime.now(session.zone())
    name = uuid.uuid4().hex
    if plan.mode is Mode.DAILY:
        name = opaque_id("daily", reader, now.date().isoformat(), plan.source, " ".join(plan.tasks))
    sets = (chosen.id,) if chosen else ()
    begun = resources.desk_of(sets).begin(name, reader, plan, now)
    quiz_place.sit(begun.id)
    st.rerun()


def _unfinished() -> None:
    """Sessions that were left open, the latest first."""
    found = [
        begun
        for begun in resources.store().sittings.sessions(session.reader(), limit=20)
        if begun.ended_at is None and not begun.plan.study
    ]
    if not found:
        return
    st.markdown("**Go on with**")
    for begun in found[:SHOWN_OPEN]:
        tasks = ", ".join(quiz_words.SHORT[task] for task in begun.plan.tasks)
        words = f"{quiz_words.MODES[begun.plan.mode]}: {len(begun.answers)} of {begun.plan.length} answered"
        if st.button(words, key=f"go-on-{begun.id}", help=tasks, width="stretch"):
            quiz_place.sit(begun.id)
            st.rerun()


def _invited() -> None:
    """The code of a case set or of a study."""
    with st.form("invited", border=False):
        code = tidied(st.text_input("Code of a case set or study", placeholder="8 letters and digits"))
        if st.form_submit_button("Open") and code:
            _open(code)


def _open(code: str) -> None:
    casebook = resources.store().casebook
    try:
        casebook.study_of_code(code)
        kind = "seat"
    except StoreError:  # no invitation: then it must be a set
        casebook.set_of_code(code)
        kind = "set"
    st.query_params.from_dict({kind: code})
    st.rerun()

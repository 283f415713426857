"""Making a reader study: its sets, tasks, order, phases, readers and consent text."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from synth.casework import pool
from synth.errors import RequestError
from synth.reading import supply
from synth.reading.answers import Shape, Task
from synth.reading.cases import TITLE_MAX, CaseSet
from synth.reading.codes import codes
from synth.reading.studies import PHASES_MAX, READERS_MAX, TEXT_MAX, WASHOUT_MAX_DAYS, Protocol, Seat, Study
from synth.reading.study_words import SHAPE_NAMES, TASK_NAMES
from synth.reading.supply import Supply
from synth.ui import resources, session, views

CONSENT = """You take part in a reading study. You will see medical images, some of which may be made by a computer, \
and answer questions on them.

Your answers, how sure you are and how long you take are kept under a number and a pseudonym that you choose, never \
under your name. Only the number appears in results. Nothing tells you during the study whether you were right.

Taking part is voluntary. You may stop at any time by closing the page, and ask whoever invited you to leave your \
answers out. The images are for education and research, never for diagnosis."""
# Tordjman et al., Radiology, March 2026
CLUES = """Synthetic films often give themselves away: left and right are too much alike, bone is too smooth, without \
its fine structure, and the grain is the same everywhere."""


def form() -> None:
    """What a new study needs, and the button that makes it. Nothing typed is lost when it is refused."""
    sets = {one.id: one for one in resources.store().casebook.sets() if one.approved}
    if not sets:
        st.info("There is no case set with approved cases yet. Make one on the Cases page; then come back.")
        return
    title = st.text_input("Title", key="study_title", max_chars=TITLE_MAX, placeholder="Can radiographers tell?")
    left, right = st.columns(2, gap="medium")
    with left:
        chosen, tasks, order, shape = _material(sets)
    with right:
        readers, phases, washout, opinion = _course()
    clues = st.text_area(
        "Clues, shown before the second phase",
        CLUES,
        key="study_clues",
        max_chars=TEXT_MAX,
        disabled=phases < PHASES_MAX,
        help="What gives synthetic images away, or what was taught between. Empty: the phases differ by time alone.",
    )
    consent = st.text_area("Consent text", CONSENT, key="study_consent", max_chars=TEXT_MAX, height=190)
    supplies = _supplies([sets[one] for one in chosen if one in sets], tasks)
    if not st.button("Make the study", type="primary", key="study_make"):
        return
    with views.show_error():
        twice = phases == PHASES_MAX
        protocol = Protocol(
            sets=chosen,
            tasks=tasks,
            readers=readers,
            consent=consent,
            shuffled=order == ORDERS[0],
            phases=phases,
            clues=clues.strip() if twice else "",
            washout_days=washout if twice else 0,
            opinion=opinion,
            shape=shape,
        )
        supply.check(supplies)
        _make(title, protocol)


ORDERS = ("Each reader's own", "That of the sets")


def _material(sets: dict[str, CaseSet]) -> tuple[tuple[str, ...], tuple[Task, ...], str, Shape]:
    """Sets, tasks, order and the shape of a mark."""
    chosen = st.multiselect(
        "Case sets",
        list(sets),
        key="study_sets",
        format_func=lambda one: f"{sets[one].title} ({len(sets[one].approved)} approved)",
        placeholder="one or more",
    )
    tasks = st.multiselect(
        "Tasks, in this order",
        list(TASK_NAMES),
        default=[Task.REAL_OR_SYNTHETIC],
        key="study_tasks",
        format_func=TASK_NAMES.__getitem__,
    )
    order = st.segmented_control("Order of the cases", ORDERS, default=ORDERS[0], key="study_order", required=True)
    shape = st.segmented_control(
        "A place is shown by",
        list(SHAPE_NAMES),
        default=Shape.POINT,
        key="study_shape",
        format_func=lambda one: SHAPE_NAMES[one].capitalize(),
        disabled=Task.WHERE not in tasks,
        required=True,
    )
    return tuple(chosen), tuple(tasks), order or ORDERS[0], shape or Shape.POINT


def _course() -> tuple[int, int, int, bool]:
    """Readers, phases, washout in days, and whether the classifier gives its opinion."""
    readers = st.number_input("Readers", 1, READERS_MAX, 4, key="study_readers", help="An invitation is made for each.")
    phases = st.segmented_control(
        "Phases", list(range(1, PHASES_MAX + 1)), default=1, key="study_phases", required=True,
        format_func={1: "One", 2: "Two: blind, then with clues"}.__getitem__,
    )  # fmt: skip
    washout = st.number_input(
        "Washout between them, days", 0, WASHOUT_MAX_DAYS, 28, key="study_washout", disabled=phases != PHASES_MAX
    )
    opinion = st.toggle(
        "Second opinion",
        key="study_opinion",
        help="After each answer the classifier's opinion is shown, and the answer may be changed once.",
    )
    return int(readers), int(phases or 1), int(washout), opinion


def _supplies(sets: Sequence[CaseSet], tasks: Sequence[Task]) -> tuple[Supply, ...]:
    """What the sets give to the tasks, told under the form."""
    if not sets:
        return ()
    store, library = resources.store(), resources.library()
    cases = [case for one in sets for case in pool.of_set(store, one, library)]
    supplies = supply.supply(cases, tasks)
    total = sum(one.total for one in supplies)
    st.caption(" ".join([*(one.sentence for one in supplies), f"In all {total} answers a reader and phase."]))
    return supplies


def _make(title: str, protocol: Protocol) -> None:
    now = datetime.now(UTC)
    drawn = codes(protocol.readers, secrets.choice)
    seats = tuple(Seat(number, code) for number, code in enumerate(drawn, start=1))
    if not title.strip():
        raise RequestError("The study has no title; give it one by which you will know it again.")
    study = Study(uuid.uuid4().hex, " ".join(title.split()), session.user(), now, protocol, seats)
    resources.store().casebook.add_study(study)
    st.query_params.from_dict({"study": study.id})
    st.rerun()

"""One case on the screen: the images on the left, the question and the answer, or the truth, on the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, masks
from synth.errors import RequestError, StoreError, SynthError
from synth.reading import drafts
from synth.reading.answers import Answer, Place, Shape, Task
from synth.reading.grading import grade
from synth.reading.items import Item
from synth.reading.sessions import Answered, Dealt, ReadingSession
from synth.reading.shapes import boxed
from synth.ui import quiz_answer, quiz_place, quiz_reveal, quiz_withdrawn, resources, viewer, views

TRUTH, OWN = "#7ee07e", "#62c8ea"
HEIGHT_PX = 700
KEY = "quiz"
KINDS: dict[Shape, viewer.Kind] = {Shape.POINT: "point", Shape.BOX: "box", Shape.OUTLINE: "outline"}
STALE = "This case had been answered before, perhaps in another tab; the first answer counts."

Shown = npt.NDArray[np.uint8]


def show(session: ReadingSession, position: int) -> None:
    """The case at a position. What was answered is kept before anything else happens."""
    dealt = _dealt(session, position)
    if dealt is None:
        resources.desk(session).end(session, datetime.now(UTC))
        st.rerun()
    answered = session.answers.get(position)
    revealed = answered is not None and session.told and not quiz_place.second_look(session, answered)
    try:
        if answered is None:
            quiz_withdrawn.require(dealt)
        panes = [_pane(name, dealt, number, revealed, answered) for number, name in enumerate(dealt.item.pictures)]
    except StoreError as error:
        _lost(session, position, error)
        return
    quiz_answer.header(session, position)
    films, beside = st.columns([7, 3], gap="medium")
    with films:
        reply = _viewer(session, dealt, panes, revealed, position)
    if revealed and drafts.ENTER in reply.keys:
        quiz_place.turn_to(quiz_place.goes_on(session, position))
        quiz_place.again()
    with beside, views.show_error():
        if revealed:
            assert answered is not None
            quiz_reveal.show(session, position, dealt, answered)
        else:
            _ask(session, position, dealt, reply)
    if revealed or not session.plan.adaptive:
        _send_ahead(session, position)


def _dealt(session: ReadingSession, position: int) -> Dealt | None:
    """The case at a position. Only one that is still to be dealt needs the sets: not every key press reads them."""
    if position < len(session.dealt):
        return session.dealt[position]
    return resources.desk(session).case(session, position, datetime.now(UTC))


def _viewer(
    session: ReadingSession, dealt: Dealt, panes: list[viewer.Pane], revealed: bool, position: int
) -> viewer.Reply:
    item = dealt.item
    keys = (drafts.ENTER,) if revealed else drafts.keys(item, session.plan.rated)
    marks = item.task is Task.WHERE and not revealed
    images = "Image" if len(panes) == 1 else f"{len(panes)} images"
    return viewer.show(
        panes,
        key=KEY,
        label=f"{images} of case {position + 1}",
        mark=KINDS[session.plan.shape] if marks else None,
        keys=keys,
        height_px=HEIGHT_PX,
    )


def _ask(session: ReadingSession, position: int, dealt: Dealt, reply: viewer.Reply) -> None:
    """The question. Keys count before anything is drawn: a run that is cut short while it draws loses none."""
    item, before = dealt.item, session.answers.get(position)
    try:
        _heard(session, position, dealt, reply)
        problem = ""
    except SynthError as error:
        problem = str(error)
    draft, clicked, chosen = quiz_answer.form(session, dealt, quiz_answer.draft_of(item, before), before)
    quiz_answer.keep(draft)
    if clicked:
        _entered(session, position, dealt, reply, chosen)
        quiz_place.again()
    if problem:
        st.error(problem)


def _heard(session: ReadingSession, position: int, dealt: Dealt, reply: viewer.Reply) -> None:
    """Put keys into the draft in their order; Enter, or the confidence after it, hands it in.

    Raises RequestError where something is missing and PolicyError where a report names a person.
    """
    draft = quiz_answer.draft_of(dealt.item, session.answers.get(position))
    for key in reply.keys:
        if draft.asking and key in drafts.SCORES:
            _entered(session, position, dealt, reply, int(key))
            return
        if key == drafts.ENTER and not draft.asking:
            _entered(session, position, dealt, reply, None)
            draft = quiz_answer.draft_of(dealt.item, session.answers.get(position))
        else:
            draft = drafts.pressed(draft, key, dealt.item)
            quiz_answer.keep(draft)


def _entered(session: ReadingSession, position: int, dealt: Dealt, reply: viewer.Reply, confidence: int | None) -> None:
    """Hand in what the draft gives; where a confidence belongs to it and is not known, ask for that first."""
    item = dealt.item
    draft = quiz_answer.draft_of(item, session.answers.get(position))
    mark = None if reply.mark is None else (Shape(reply.mark.kind), reply.mark.points)
    try:
        answer = drafts.answer_of(draft, item, mark, _size(item))
    except RequestError:
        quiz_answer.keep(replace(draft, asking=False))
        raise
    if confidence is not None:
        answer = drafts.rated(answer, confidence)
    elif session.plan.rated and item.task is not Task.REAL_OR_SYNTHETIC:
        quiz_answer.keep(replace(draft, asking=True))
        return
    _hand_in(session, position, dealt, answer)


def _hand_in(session: ReadingSession, position: int, dealt: Dealt, answer: Answer) -> None:
    """Keep the answer, then the truth, a second look or the next case."""
    before = session.answers.get(position)
    if before is not None and quiz_place.second_look(session, before):
        _revise(session, before, answer, dealt)
    else:
        spent = quiz_answer.seconds(dealt.item)
        kept, _ = resources.desk(session).answer(session, position, answer, spent, datetime.now(UTC))
        if kept == "answered":
            st.toast(STALE)
        stays = kept == "kept" and (session.told or session.plan.opinion)
        quiz_place.turn_to(position if stays else quiz_place.goes_on(session, position))
    quiz_answer.forget()
    quiz_place.again()


def _revise(session: ReadingSession, before: Answered, answer: Answer, dealt: Dealt) -> None:
    opinion = quiz_answer.opinion_json(dealt)
    again = replace(before, opinion=opinion, revised=answer, revised_grade=grade(dealt.item, answer))
    resources.store().sittings.revise(session.id, again)
    quiz_place.turn_to(before.position if session.told else quiz_place.goes_on(session, before.position))


def _size(item: Item) -> tuple[int, int]:
    """(Width, height) of the picture in px."""
    height, width = resources.store().picture(item.pictures[0]).shape
    return width, height


def _pane(name: str, dealt: Dealt, number: int, revealed: bool, answered: Answered | None) -> viewer.Pane:
    """A picture as it is shown: unmarked until the truth may be told, then with its mark and the outlines."""
    pixels = resources.store().picture(name)
    title = str(number + 1) if len(dealt.item.pictures) > 1 else ""
    if not revealed:
        return viewer.Pane(pixels, title=title)
    kind = dealt.sources[number].partition(":")[0].upper()
    marked = imaging.mark(pixels, kind)
    return viewer.Pane(marked, title=f"{title} {kind}".strip(), overlays=(*_truth(dealt.item), *_own(answered)))


def _truth(item: Item) -> list[viewer.Overlay]:
    lines: list[npt.NDArray[np.float64]] = []
    if item.truth.area is not None and item.truth.area.any():
        lines = masks.outline(item.truth.area)
    lines += [_closed(boxed(box)) for box in item.truth.box_list()]
    return [viewer.Overlay(lines, TRUTH, "finding")] if lines else []


def _own(answered: Answered | None) -> list[viewer.Overlay]:
    """The reader's own mark; a point as a small cross."""
    place = answered.answer if answered else None
    if not isinstance(place, Place) or place.shape is Shape.NONE:
        return []
    if place.shape is Shape.POINT:
        (x, y), arm = place.points[0], place.width / 40
        cross = [np.array([[x - arm, y], [x + arm, y]]), np.array([[x, y - arm], [x, y + arm]])]
        return [viewer.Overlay(cross, OWN, "yours")]
    (left, top), (right, bottom) = place.points[0], place.points[1]
    corners = boxed((left, top, right, bottom)) if place.shape is Shape.BOX else place.points
    return [viewer.Overlay([_closed(corners)], OWN, "yours", dashed=True)]


def _closed(corners: Sequence[tuple[float, float]]) -> npt.NDArray[np.float64]:
    return np.array([*corners, corners[0]], np.float64)


def _send_ahead(session: ReadingSession, position: int) -> None:
    """The next case's pictures, so that it stands there at once; an adaptive one is dealt for it now."""
    following = position + 1
    if following >= session.plan.length or following in session.answers:
        return
    try:
        dealt = _dealt(session, following)
        names = dealt.item.pictures if dealt else ()
        viewer.ahead([viewer.Pane(resources.store().picture(name)) for name in names], key=KEY)
    except SynthError:
        return  # it will be said when its turn comes


def _lost(session: ReadingSession, position: int, error: StoreError) -> None:
    """A picture is gone: the case counts for nothing, and the reader goes on."""
    st.error(f"The image of case {position + 1} can not be shown any more: {error}")
    if st.button("Go on without this case", type="primary", shortcut="Enter"):
        resources.store().sittings.set_void(session.id, position)
        quiz_place.turn_to(None)
        quiz_place.again()

"""The trail of edits: base, first edit, second edit, and back and forth between them. The address holds the place."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from synth.types import COUNT_MAX, GeneratedImage
from synth.ui import bases, edit_form, gallery, resources

LONGEST = 12  # edits of one trail that are shown, the latest


@dataclass(frozen=True, slots=True)
class Place:
    """Where the Edit page stands: the picture on the canvas, the jobs drawn from it, and the end of the trail."""

    base: str | None = None  # ?base=
    jobs: tuple[str, ...] = ()  # ?request=
    tip: tuple[str, ...] = ()  # ?tip=, the jobs of the last edit that is known, when one has gone back


def place() -> Place:
    """What the address asks for."""
    jobs, tip = (tuple(part for part in st.query_params.get(key, "").split(",") if part) for key in ("request", "tip"))
    return Place(st.query_params.get("base") or None, jobs[:COUNT_MAX], tip[:COUNT_MAX])


def go(to: Place) -> None:
    """Write the address; the next run shows it."""
    wanted = {"base": to.base, "request": ",".join(to.jobs), "tip": ",".join(to.tip)}
    st.query_params.from_dict({key: value for key, value in wanted.items() if value})


def edits(image_id: str) -> list[GeneratedImage]:
    """The edits of this page that led to an image, oldest first, itself last; empty for any other image."""
    found: list[GeneratedImage] = []
    image = resources.store().image(image_id)
    while (edit := image.request.edit) is not None and edit.mode in edit_form.MODES and len(found) < LONGEST:
        found.append(image)
        kind, _, name = edit.origin.partition(":")
        if kind not in ("synthetic", "altered"):
            break
        image = resources.store().image(name)
    return found[::-1]


def places(steps: list[GeneratedImage], last: tuple[str, ...]) -> list[Place]:
    """The place of the base and of each of the edits; `last` are the jobs of the last, several for a course."""
    if not steps:
        return []
    roots = [step.request.edit.origin.replace("altered:", "synthetic:") for step in steps if step.request.edit]
    jobs = [*((step.id,) for step in steps[:-1]), last]
    return [Place(roots[0], (), last), *(Place(root, job, last) for root, job in zip(roots, jobs, strict=True))]


def finished(jobs: tuple[str, ...]) -> str | None:
    """The first image that jobs have made, None while there is none."""
    engine = resources.engine()
    return next((job.image_id for job in map(engine.job, jobs) if job.image_id), None)


def show(here: Place) -> None:
    """Undo, redo and a tile for each state, once there is an edit."""
    on_canvas = here.base.removeprefix("synthetic:") if here.base and here.base.startswith("synthetic:") else None
    shown = finished(here.jobs) or on_canvas
    jobs = next((jobs for jobs in (here.tip, here.jobs) if finished(jobs)), (on_canvas,) if on_canvas else ())
    last = finished(jobs) if jobs != (on_canvas,) else on_canvas
    steps = edits(last) if last else []
    if not steps:
        return
    states, current = places(steps, jobs), _current(steps, shown)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        with st.container(width=104, gap="xsmall"):
            if st.button("Undo edit", disabled=current == 0, width="stretch", key="undo"):
                _move(states[current - 1])
            if st.button("Redo edit", disabled=current == len(states) - 1, width="stretch", key="redo"):
                _move(states[current + 1])
        for number, state in enumerate(states):
            with st.container(width=88, gap="xxsmall"):
                _thumbnail(state, steps[number - 1] if number else None)
                label = f"Edit {number}" if number else "Base"
                if st.button(label, key=f"state-{number}", disabled=number == current, width="stretch"):
                    _move(state)


def _current(steps: list[GeneratedImage], shown: str | None) -> int:
    """The number of the state on screen; 0 is the base."""
    return next((number for number, step in enumerate(steps, start=1) if step.id == shown), 0)


def _thumbnail(state: Place, edit: GeneratedImage | None) -> None:
    if edit is not None:
        st.image(gallery.thumbnail(edit.id, edit.request.mark), width="stretch", alt="State after this edit")
    elif state.base:
        picture = bases.load(state.base)
        st.image(bases.small(picture), width="stretch", alt="Base of all edits")


def _move(to: Place) -> None:
    go(to)
    st.rerun()

"""The reading room of the Generate page: what the address asks for, from waiting jobs to finished films."""

from __future__ import annotations

import streamlit as st

from synth.types import JobState
from synth.ui import films, forms, gallery, resources, session, views


def arrive() -> None:
    """Before the form is drawn: fill it from the address or a reopened image; on a first visit ask for an example."""
    shown, first = session.shown(), session.first_run()
    if reopened := session.reopened():
        forms.load(resources.store().image(reopened).request)
    elif first and shown.image:
        forms.load(resources.store().image(shown.image).request)
    elif first and shown.jobs:
        forms.load(resources.engine().job(shown.jobs[0]).request)
    elif first and resources.engine().status().model_state != "failed":
        forms.ask(next(iter(forms.EXAMPLES.values())))


def show() -> str | None:
    """Progress while a job lives, then its images; an opened image of the history; else the empty room.

    Returns the id of the image on screen.
    """
    shown, engine = session.shown(), resources.engine()
    jobs = [engine.job(job_id) for job_id in shown.jobs]
    if any(job.state in views.LIVE for job in jobs):
        views.progress(shown.jobs)
        return None
    problems = dict.fromkeys(job.error for job in jobs if job.error)
    for sentence in problems:
        st.error(sentence)
    if any(job.state == JobState.CANCELLED for job in jobs):
        st.caption("Cancelled.")
    made = [job.image_id for job in jobs if job.image_id]
    chosen = shown.image or (made[0] if made else None)
    if chosen is None:
        if not problems:
            _empty()
        return None
    store = resources.store()
    image = store.image(chosen)
    if len(made) > 1 and chosen in made:
        gallery.strip([store.image(image_id) for image_id in made], chosen)
    films.reading(image, store.image(shown.beside) if shown.beside else None)
    return chosen


def _empty() -> None:
    status = resources.engine().status()
    if status.model_state == "failed":
        st.error(status.error or "The model could not be loaded.")
    else:
        st.caption("No image is open. Generate one, or open one of the history.")

"""What every page shows: the one place where errors become sentences, the intended use, the model's state, progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from synth import imaging
from synth.engine import EngineStatus
from synth.errors import SynthError
from synth.origins import UNKNOWN, Licence
from synth.types import Job, JobState
from synth.ui import resources

INTENDED_USE = "Education and research, never diagnosis"
LIVE = (JobState.QUEUED, JobState.RUNNING)
POLL_S = 0.4
PREVIEW_PX = 256
PICTURE_MB = 64  # of one uploaded picture; only the library takes more


@contextmanager
def show_error() -> Iterator[None]:
    """Every SynthError raised inside becomes its sentence on the page; anything else is a bug and stays one.

    The one place where refusals pass: their kind is counted for monitoring, without a word of what was asked.
    """
    if PagesManager.uses_pages_directory:
        # Streamlit runs a page without app.py when its address is the first that a server is asked for.
        PagesManager.uses_pages_directory = False
        st.rerun()
    try:
        yield
    except SynthError as error:
        st.error(unlinked(str(error)))
        if error.refusal and st.session_state.get("refused") != str(error):  # it may stand there for many runs
            st.session_state["refused"] = str(error)
            resources.count_refusal(error.refusal)


def model_status() -> None:
    """Device and model, polled only until the model is ready or has failed."""
    loading = resources.engine().status().model_state == "loading"
    st.fragment(_model_status, run_every=POLL_S if loading else None)(loading)


def _model_status(was_loading: bool) -> None:
    status = resources.engine().status()
    if status.licence is not None:
        _licence(status.licence)
    elif status.model_state == "failed":
        st.caption(f"Model {resources.settings().model_id} could not be loaded.")
    else:
        times = {1: "once"}.get(status.load_count, f"{status.load_count} times")
        st.caption(status_sentence(status), help=f"The weights were loaded {times} for all browsers.")
    if was_loading and status.model_state != "loading":
        st.rerun()  # the page knows the model's card from here on, and this fragment stops polling


def _licence(licence: Licence) -> None:
    """What somebody accepts who uses the model of others that waits, and the button for it."""
    st.markdown(f"**{escaped(licence.model_id)}** waits for its licence")
    named = (
        "unknown: its card names none. Ask its publisher before you use it" if licence.name == UNKNOWN else licence.name
    )
    st.caption(f"Licence: {escaped(named)}." + (f" [Its text]({licence.link})" if licence.link else ""))
    st.caption(f"{escaped(licence.limits)} {INTENDED_USE}.")
    st.caption(f"Revision {licence.revision[:12]}. Who accepts and when is kept.")
    if st.button("Accept the licence", key="accept-licence"):
        with show_error():
            resources.accept_licence(licence)
            st.rerun()


def escaped(text: str) -> str:
    """Text of others, shown as it is: without the marks that Markdown would read."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~$:-])", r"\\\1", text)


def unlinked(text: str) -> str:
    """A sentence that may quote what somebody put into an address: no link and no picture is made of it."""
    return re.sub(r"(?<=\])(?=\()|<(?=\w+:|\S+@)", lambda found: "\\" + found[0], text)


def status_sentence(status: EngineStatus) -> str:
    """Device, model and queue in one line, as "CPU, 2 threads; model synthread-256 ready"."""
    waiting = f"; {status.waiting} waiting" if status.waiting else ""
    if status.model_state == "ready":
        return f"{resources.device_name(status.device)}; model {status.model_id} ready{waiting}"
    return f"Model {resources.settings().model_id} is loading{waiting}"


def image_of(job_id: str) -> str | None:
    """The image of one job; until there is one its progress is shown, and why there will be none."""
    job = resources.engine().job(job_id)
    if job.state in LIVE:
        progress((job_id,))
    elif job.error:
        st.error(job.error)
    elif job.state == JobState.CANCELLED:
        st.caption("Cancelled.")
    return job.image_id


def progress(jobs: tuple[str, ...], below: Callable[[list[Job]], None] | None = None) -> None:
    """Progress bar and cancel button of live jobs above their previews, or what `below` draws, polled until all end."""
    st.fragment(_progress, run_every=POLL_S)(jobs, below or _previews)


def _progress(ids: tuple[str, ...], below: Callable[[list[Job]], None]) -> None:
    engine = resources.engine()
    with show_error():
        jobs = [engine.job(job_id) for job_id in ids]
        if not any(job.state in LIVE for job in jobs):
            st.rerun()
        _bar(jobs)
        below(jobs)


def _bar(jobs: list[Job]) -> None:
    """The progress of jobs of which some live, and a button that cancels those."""
    live = [job for job in jobs if job.state in LIVE]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(_share(jobs), text=_sentence(live))
        if st.button("Cancel", key="cancel"):
            for job in live:
                resources.engine().cancel(job.id)


def _previews(jobs: list[Job]) -> None:
    columns = st.columns(2 if len(jobs) == 1 else min(4, len(jobs)), gap="small", wrap=len(jobs) > 1)
    for i, job in enumerate(jobs):
        with columns[i % len(columns)]:
            if job.preview is None:
                st.html('<div class="unlit"></div>')
            else:
                preview = imaging.mark(imaging.resize(job.preview, PREVIEW_PX), job.request.mark)
                st.image(preview, width="stretch", alt="Preview of the image being drawn")


def _share(jobs: list[Job]) -> float:
    done = sum(1.0 if job.state not in LIVE else job.step / max(1, job.total) for job in jobs)
    return min(1.0, done / len(jobs))


def _sentence(live: list[Job]) -> str:
    first = live[0]
    if first.state == JobState.RUNNING:
        return f"Step {first.step} of {first.total}" if first.step else "Starting"
    status = resources.engine().status()
    if status.model_state == "loading":
        return "Waiting for the model to load"
    return "Next in the queue" if first.position == 0 else f"Waiting: {first.position} ahead in the queue"

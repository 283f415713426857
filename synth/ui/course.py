"""An imagined course: its stages as a strip while they arrive, then a film that plays in the browser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import streamlit as st

from synth import imaging
from synth.types import Job, JobState
from synth.ui import compare, gallery, resources, views

IMAGINATION = "Imagination: not a prediction"
TILE_PX = 150
FRAME_MS = 700
FILM_PX = 420
CONFIG = {"displayModeBar": False, "responsive": True}


def show(jobs: Sequence[Job]) -> str | None:
    """The strip, polled while a job lives; afterwards the film. Returns the image of the chosen stage, if one is."""
    st.markdown(f"**{IMAGINATION}**")
    if any(job.state in views.LIVE for job in jobs):
        views.progress(tuple(job.id for job in jobs), _strip)
        return None
    for sentence in dict.fromkeys(job.error for job in jobs if job.error):
        st.error(sentence)
    done = [job for job in jobs if job.image_id]
    if len(done) < len(jobs):
        st.caption(f"{len(done)} of {len(jobs)} stages were drawn.")
    if not done:
        return None
    film, choice = st.columns([5, 8], gap="medium")
    with film:
        st.plotly_chart(_film(done), theme=None, config=CONFIG, key=f"course-{jobs[0].id}")
    with choice:
        _strip(done)
        stages = {job.image_id: _stage(job) for job in done}
        last = list(stages)[-1]
        chosen = st.segmented_control(
            "Stage",
            list(stages),
            default=last,
            required=True,
            format_func=lambda i: stages[i],
            key=f"stage-{jobs[0].id}",
        )
    return chosen or last


def _strip(jobs: Sequence[Job]) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        for job in jobs:
            with st.container(width=TILE_PX, gap="xxsmall"):
                _tile(job)
                st.caption(f"{_stage(job)}{_state(job)}")


def _tile(job: Job) -> None:
    if job.image_id:
        st.image(gallery.thumbnail(job.image_id, job.request.mark), width="stretch", alt=_stage(job))
    elif job.preview is not None:
        preview = imaging.mark(imaging.resize(job.preview, views.PREVIEW_PX), job.request.mark)
        st.image(preview, width="stretch", alt="Preview of the stage being drawn")
    else:
        st.html('<div class="unlit"></div>')


def _stage(job: Job) -> str:
    return job.request.edit.stage if job.request.edit else ""


def _state(job: Job) -> str:
    return {JobState.CANCELLED: ": cancelled", JobState.FAILED: ": failed"}.get(job.state, "")


def _film(done: Sequence[Job]) -> go.Figure:
    """All stages after the base as an animation with a slider: the browser has every frame, so it answers at once."""
    store = resources.store()
    base, edit = store.base(done[0].request), done[0].request.edit
    assert base is not None and edit is not None
    frames = [("before", imaging.to_uint8(imaging.mark(base.pixels, edit.base_mark)))]
    for job in done:
        assert job.image_id is not None
        marked = imaging.mark(store.image(job.image_id).pixels, job.request.mark)
        frames.append((_stage(job), imaging.to_uint8(marked)))
    return animation(frames)


def animation(frames: Sequence[tuple[str, npt.NDArray[np.uint8]]]) -> go.Figure:
    """A film of named pictures (H, W) with Play, Stop and a slider."""
    height, width = frames[0][1].shape

    def picture(pixels: npt.NDArray[np.uint8]) -> go.Heatmap:
        look = {"zmin": 0, "zmax": 255, "colorscale": compare.GREY, "showscale": False, "hoverinfo": "skip"}
        return go.Heatmap(z=pixels, **look)

    fig = go.Figure(
        data=[picture(frames[0][1])], frames=[go.Frame(name=name, data=[picture(pixels)]) for name, pixels in frames]
    )
    plain = {"visible": False, "constrain": "domain", "fixedrange": True}
    fig.update_xaxes(range=[-0.5, width - 0.5], **plain)
    fig.update_yaxes(range=[height - 0.5, -0.5], scaleanchor="x", **plain)
    fig.update_layout(
        height=FILM_PX,
        margin={"l": 0, "r": 0, "t": 0, "b": 64},
        paper_bgcolor=compare.PAPER,
        plot_bgcolor="#000000",
        font={"color": compare.TEXT, "size": 11},
        updatemenus=[_buttons()],
        sliders=[_slider([name for name, _ in frames])],
    )
    return fig


def _moment(duration_ms: int) -> dict[str, object]:
    return {"frame": {"duration": duration_ms, "redraw": True}, "mode": "immediate", "transition": {"duration": 0}}


def _buttons() -> dict[str, object]:
    play = {"label": "Play", "method": "animate", "args": [None, _moment(FRAME_MS)]}
    stop = {"label": "Stop", "method": "animate", "args": [[None], _moment(0)]}
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "bgcolor": "#171b20",
        "bordercolor": compare.LINE,
        "x": 0.0,
        "xanchor": "left",
        "y": 0.0,
        "yanchor": "top",
        "pad": {"t": 18, "l": 0},
        "buttons": [play, stop],
    }


def _slider(names: Sequence[str]) -> dict[str, object]:
    steps = [{"label": name, "method": "animate", "args": [[name], _moment(0)]} for name in names]
    return {
        "steps": steps,
        "x": 0.32,
        "len": 0.66,
        "y": 0.0,
        "yanchor": "top",
        "pad": {"t": 8},
        "currentvalue": {"visible": False},
        "bgcolor": compare.LINE,
        "bordercolor": compare.LINE,
        "activebgcolor": compare.LEFT_COLOUR,
    }

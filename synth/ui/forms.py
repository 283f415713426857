"""From the prompt box to checked requests: prompt, examples, chips, count and the settings under "More"."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from synth import prompts
from synth.engine import EngineStatus
from synth.errors import RequestError
from synth.types import COUNT_MAX, SAMPLERS, SEED_MAX, GenerationRequest
from synth.ui import chips, purpose, resources, session, views

EXAMPLES = {
    "Right lower lobe pneumonia": "PA chest X-ray, 65-year-old man, right lower lobe pneumonia",
    "Left pleural effusion": "AP chest X-ray, 72-year-old woman, left pleural effusion, no pneumonia",
    "CT: ground-glass opacities": "Axial chest CT, 50-year-old man, bilateral ground-glass opacities of COVID-19",
}
SAMPLER_NAMES = {"dpmpp_2m": "DPM-Solver++ 2M", "euler": "Euler (DDIM)", "heun": "Heun", "ddpm": "DDPM ancestral"}
DEFAULTS = GenerationRequest()


def ask(prompt: str) -> None:
    """Put a prompt into the box and have it drawn in this run: the examples and the first visit."""
    st.session_state["prompt"] = prompt
    st.session_state["count"] = 1
    _submit_now()


def load(request: GenerationRequest) -> None:
    """Fill the form with a stored request, as its user had corrected it."""
    state = st.session_state
    prompt = request.note or prompts.describe(request)
    state["prompt"], state["understood"], state["parsed"] = prompt, prompt, prompts.parse(prompt)
    chips.load(request)
    state["seed"], state["steps"], state["guidance"] = request.seed, request.steps, request.guidance
    state["sampler"] = request.sampler


def prompt_box() -> None:
    """Prompt, count, Generate and three examples across the page. Typing redraws the chips alone."""
    box, few, press = st.columns([20, 4, 5], gap="small", vertical_alignment="bottom")
    box.text_input(
        "Clinical prompt",
        key="prompt",
        live="400ms",
        on_change=lambda: st.rerun("request"),
        placeholder="PA chest X-ray, 65-year-old man, right lower lobe pneumonia",
        label_visibility="collapsed",
        persist_state="session",
    )
    few.number_input(
        "Images",
        value=None,
        step=1,
        key="count",
        placeholder="1",
        icon=":material/photo_library:",
        label_visibility="collapsed",
        persist_state="session",
    )
    press.button("Generate", type="primary", width="stretch", shortcut="Ctrl+Enter", on_click=_submit_now)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Try", width="content")
        for name, prompt in EXAMPLES.items():
            st.button(name, on_click=ask, args=(prompt,), help=prompt)


@st.fragment(key="request")
def request_panel() -> None:
    """What was understood as chips, and "More". A submitted request is written into the address."""
    status = resources.engine().status()
    understood = st.container(gap="small")
    _settings()
    asked = st.session_state.pop("submit_now", False)
    prompt = str(st.session_state.get("prompt", ""))
    with understood, views.show_error():
        if not prompt.strip() and not asked:
            st.caption("Type a prompt: what was understood appears here and can be corrected before it is drawn.")
            return
        parsed = _understand(prompt)
        chips.show(status.card.modalities if status.card else ("DX", "CT"))
        wanted = chips.corrected(parsed, _whole_number("Age", chips.age_text()))
        _remarks(wanted, status)
        if asked:
            _submit(_requests(wanted, prompt, status))
            st.rerun()


def again(request: GenerationRequest, seeds: int) -> None:
    """Submit a stored request once more: the same seed for `seeds` 0, else that many new ones."""
    start = secrets.randbelow(SEED_MAX - COUNT_MAX)
    _submit([replace(request, seed=start + i) for i in range(seeds)] or [request])


def _submit_now() -> None:
    st.session_state["submit_now"] = True


def _submit(requests: list[GenerationRequest]) -> None:
    """Queue the requests and write their jobs into the address."""
    jobs = purpose.submit(requests)
    session.show(jobs=tuple(job.id for job in jobs))


def _understand(prompt: str) -> prompts.ParsedPrompt:
    """The parsed prompt; the chips follow it only when the text has changed, so corrections stay."""
    state = st.session_state
    if state.get("understood") != prompt or "parsed" not in state:
        parsed = prompts.parse(prompt)
        chips.load(parsed)
        state["parsed"], state["understood"] = parsed, prompt
    kept: prompts.ParsedPrompt = state["parsed"]
    return kept


def _remarks(parsed: prompts.ParsedPrompt, status: EngineStatus) -> None:
    """What was not understood and what the model cannot draw, by name."""
    if parsed.unknown_words:
        st.caption(f"Not understood, so not drawn: {', '.join(parsed.unknown_words)}.")
    for note in parsed.notes:
        st.caption(note)
    for sentence in prompts.unlearnt(parsed.findings, status.card) if status.card else ():
        st.markdown(f":small[:orange[{sentence}]]")


def _settings() -> None:
    with st.expander("More"):
        # No bounds in the fields: a value out of range stays as typed and the request says what would be right.
        left, right = st.columns(2, gap="small", wrap=False)
        _number(left, "Seed", 1, "random")
        _number(right, "Steps", 1, str(DEFAULTS.steps))
        _number(left, "Guidance", 0.5, str(DEFAULTS.guidance))
        right.selectbox(
            "Sampler", SAMPLERS, key="sampler", format_func=lambda name: SAMPLER_NAMES[name], persist_state="session"
        )
        purpose.choose()


def _number(column: DeltaGenerator, label: str, step: float, default: str) -> None:
    column.number_input(label, value=None, step=step, key=label.lower(), placeholder=default, persist_state="session")


def _requests(parsed: prompts.ParsedPrompt, prompt: str, status: EngineStatus) -> list[GenerationRequest]:
    """One request a seed. Raises RequestError for the first value that is out of its range."""
    state = st.session_state
    count = _typed("count", 1)
    if not 1 <= count <= COUNT_MAX:
        raise RequestError(f"Images is {count}; it must lie between 1 and {COUNT_MAX}.")
    first = prompts.to_request(
        parsed,
        prompt,
        seed=_typed("seed", secrets.randbelow(SEED_MAX - COUNT_MAX)),
        steps=_typed("steps", DEFAULTS.steps),
        guidance=float(_typed("guidance", DEFAULTS.guidance)),
        sampler=state["sampler"],
        size_px=status.card.native_px if status.card else DEFAULTS.size_px,
        model_id=resources.settings().model_id,
    )
    return [replace(first, seed=first.seed + i) for i in range(count)]


def _typed(key: str, default: float) -> Any:
    """The number in a field, or what its placeholder promises when it is empty."""
    value = st.session_state.get(key)
    return default if value is None else value


def _whole_number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not text.removeprefix("-").isdecimal() or len(text) > 9:
        raise RequestError(f"{name} is {text[:20]!r}; it must be a whole number.")
    return int(text)

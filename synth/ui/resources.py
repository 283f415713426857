"""What one server process holds once, whatever the number of browsers: settings, store, engine, library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from synth.casework.maker import Maker
from synth.config import Settings
from synth.engine import Engine
from synth.library.folders import Library
from synth.store import Store
from synth.types import GeneratedImage, GenerationRequest, Step

if TYPE_CHECKING:
    from synth.diffusion.model import Model
    from synth.generate import Order


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The environment, read once. Raises RequestError naming a variable that cannot be read."""
    return Settings.from_env()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """Database and blobs. Raises StoreError when they cannot be opened."""
    return Store(settings().database_url, settings().blob_url)


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The one queue and device thread of this process; it loads the model itself, so no page waits for it."""
    return Engine(store(), _load_model, _generate_batch, _compatible, settings().queue_size)


@st.cache_resource(show_spinner=False)
def maker() -> Maker:
    """The one thread that draws the cases of case sets, the starter set among them, while nobody waits for an image."""
    return Maker(store(), engine())


@st.cache_resource(show_spinner=False)
def library() -> Library:
    """The real images of SYNTH_LIBRARY; `problem` says in one sentence why there are none."""
    return Library(settings().library)


def device_name(device: str) -> str:
    """The device of a ready engine in a reader's words, as "CPU, 2 threads"."""
    from synth.models import loader

    return loader.device_name(device)


# torch takes seconds to import: only the device thread imports it, so the first page is painted before.
def _load_model() -> Model:
    if settings().model_id == "tiny":
        from synth.models.tiny import TinyModel

        return TinyModel()
    from synth.models import loader

    return loader.load(settings())


def _generate_batch(
    model: Model, orders: Sequence[Order], created_at: datetime, on_step: Callable[[Step], None]
) -> list[GeneratedImage]:
    from synth.generate import generate_batch

    return generate_batch(model, orders, created_at, on_step)


def _compatible(first: GenerationRequest, second: GenerationRequest) -> bool:
    from synth.generate import compatible

    return compatible(first, second)

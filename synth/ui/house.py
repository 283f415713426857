"""What one server process holds once, whatever the number of browsers. Pages reach it through `resources` only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import house as installation
from synth import people
from synth.casework import pool
from synth.casework.desk import Desk
from synth.casework.maker import Maker
from synth.casework.starter import FILE, STARTER_ID
from synth.config import Settings
from synth.engine import Engine
from synth.governance.rules import Rules
from synth.imaging import to_uint8
from synth.intake.archives import Archives
from synth.intake.downloads import Downloads
from synth.intake.importer import Importer
from synth.intake.looks import Embed, Looks
from synth.intake.transfers import Transfers
from synth.library.collections import Collections
from synth.library.folders import Library
from synth.meter import Meter
from synth.origins import Licence
from synth.people import Register
from synth.reading.cases import Case, CaseSet, Standing
from synth.reading.sessions import ReadingSession
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
def rules() -> Rules:
    """The rules of governance.toml, read once. Raises RequestError where it cannot be read."""
    return installation.rules(settings().home)


@st.cache_resource(show_spinner=False)
def register() -> Register:
    """The accounts. Raises StoreError when the database or the key of the accounts cannot be opened."""
    return people.opened(settings(), store())


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """Database and blobs. Raises StoreError when they cannot be opened."""
    return Store(settings().database_url, settings().blob_url)


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The one queue and device thread of this process; it loads the model itself, so no page waits for it."""
    return Engine(store(), _load_model, _generate_batch, _compatible, settings().queue_size)


@st.cache_resource(show_spinner=False)
def meter() -> Meter:
    """The engine as people may use it."""
    return Meter(engine(), store(), rules().images_per_hour, lambda: datetime.now(UTC))


@st.cache_resource(show_spinner=False)
def maker() -> Maker:
    """Who draws the cases of case sets in the background, while nobody waits for an image."""
    return Maker(store(), engine(), FILE if settings().starter else None)


@st.cache_resource(show_spinner=False)
def importer() -> Importer:
    """Who imports real images in the background; an import that a restart cut short goes on."""
    return Importer(store(), settings().home, settings().blob_url)


@st.cache_resource(show_spinner=False)
def library() -> Library:
    """The real images: those of SYNTH_LIBRARY and those that were imported; `problem` says why there are none."""
    return Library(settings().library, store().holdings)


@st.cache_resource(show_spinner=False, on_release=Looks.close)
def looks() -> Looks:
    """What the images of the library look like, computed in the background while the device is idle."""
    return Looks(store(), library(), _load_embedder, _busy)


@st.cache_resource(show_spinner=False)
def transfers() -> Transfers:
    """What is being fetched, sent and downloaded in the background."""
    return Transfers()


@st.cache_resource(show_spinner=False)
def archives() -> Archives:
    """The PACS; from the first visit on it listens where the configuration says so, and says why where it cannot."""
    opened = Archives(store(), importer(), transfers(), settings().home, settings().pacs)
    opened.start()
    return opened


@st.cache_resource(show_spinner=False)
def collections() -> Collections:
    """The index of the open collections."""
    return Collections()


@st.cache_resource(show_spinner=False)
def downloads() -> Downloads:
    """Series of the open collections on their way into the library."""
    return Downloads(store(), importer(), transfers(), settings().home)


def begin_work() -> None:
    """What goes on without anybody asking: cases are drawn, cut imports go on, and a PACS may send to us."""
    maker()
    importer()
    archives()


@st.cache_resource(show_spinner=False, max_entries=16)
def _cases(
    approved: tuple[tuple[str, ...], ...], with_library: bool, revision: int, _sets: Sequence[CaseSet]
) -> list[Case]:
    found = [case for made in _sets for case in pool.of_set(store(), made, library())]
    return [*found, *pool.of_library(library())] if with_library else found


def desk_of(sets: tuple[str, ...]) -> Desk:
    """The desk that deals from case sets, or without any from the room's cases: the starter set and the library."""
    casebook = store().casebook
    made = [casebook.case_set(name) for name in sets] if sets else pool.shipped(casebook.sets())
    approved = tuple((entry.id, entry.job, entry.history, entry.teaching) for one in made for entry in one.approved)
    return Desk(store(), library(), _cases(approved, not sets, library().revision, made))


@st.cache_data(ttl=5, show_spinner=False)
def waiting_cases(set_id: str | None) -> int:
    """How many cases of a set, or of the starter set, are still to be drawn."""
    sets = [made for made in store().casebook.sets() if made.id == (set_id or STARTER_ID)]
    return sum(entry.standing is Standing.WAITING for made in sets for entry in made.entries)


def desk(session: ReadingSession) -> Desk:
    """The desk of a session: it deals from the sets that the session was begun with."""
    plan = session.plan
    if plan.study:
        return desk_of(store().casebook.study(plan.study).protocol.sets)
    return desk_of((plan.source,) if plan.source else ())


@st.cache_data(max_entries=256, show_spinner=False)
def opinion(source: str) -> dict[str, float]:
    """What the classifier reads in an image of "synthetic:<id>" or "real:<id>": finding code -> probability.

    Raises ModelError where it can not be loaded, StoreError or DicomError where the image is gone.
    """
    kind, _, name = source.partition(":")
    pixels = store().image(name).pixels if kind == "synthetic" else library().whole(name)
    return _reader()(to_uint8(pixels))


@st.cache_resource(show_spinner=False)
def _reader() -> Callable[[npt.NDArray[np.uint8]], dict[str, float]]:
    from synth.models.readers import opinions  # imports torch

    return opinions(settings().models)


def device_name(device: str) -> str:
    """The device of a ready engine in a reader's words, as "CPU, 2 threads"."""
    from synth.models import loader

    return loader.device_name(device)


def accept_licence(licence: Licence, who: str) -> None:
    """Keep that somebody accepted the licence of the model that waits, and load it. Raises StoreError."""
    store().accept_licence(licence, who, datetime.now(UTC))
    engine().reload()


# torch takes seconds to import: only the device thread imports it, so the first page is painted before.
def _load_model() -> Model:
    if settings().model_id == "tiny":
        from synth.models.tiny import TinyModel

        return TinyModel()
    from synth.models import loader

    return loader.load(settings(), store().licence_accepted)


def _busy() -> bool:
    status = engine().status()
    return status.model_state == "loading" or status.waiting + status.running > 0


def _load_embedder() -> Embed:
    from synth.models.embedding import embedder

    return embedder(settings().models)


def _generate_batch(
    model: Model, orders: Sequence[Order], created_at: datetime, on_step: Callable[[Step], None]
) -> list[GeneratedImage]:
    from synth.generate import generate_batch

    return generate_batch(model, orders, created_at, on_step)


def _compatible(first: GenerationRequest, second: GenerationRequest) -> bool:
    from synth.generate import compatible

    return compatible(first, second)

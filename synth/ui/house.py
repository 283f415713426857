"""What one server process holds once, whatever the number of browsers. Pages reach it through `resources` only."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import __version__, home, keys, people
from synth.casework import pool
from synth.casework.desk import Desk
from synth.casework.maker import Maker
from synth.casework.starter import FILE, STARTER_ID
from synth.config import Settings
from synth.departures import Departures
from synth.engine import Engine
from synth.errors import StoreError
from synth.export.documents.about import About
from synth.governance.monitoring import REFUSED, Gate
from synth.governance.roles import LOCAL_USER
from synth.governance.rules import Rules
from synth.heads import Heads, place
from synth.imaging import to_uint8
from synth.intake.archives import Archives
from synth.intake.downloads import Downloads
from synth.intake.importer import Importer
from synth.intake.looks import Embed, Looks
from synth.intake.model_files import ModelFiles
from synth.intake.transfers import Transfers
from synth.library.collections import Collections
from synth.library.folders import Library
from synth.meter import Meter
from synth.monitor import Monitor
from synth.origins import Licence
from synth.people import Register
from synth.reading.cases import Case, CaseSet, Standing
from synth.reading.sessions import ReadingSession
from synth.research import Research
from synth.store import Store
from synth.store.model_register import Loaded
from synth.types import AuditEvent, GeneratedImage, GenerationRequest, Step

if TYPE_CHECKING:
    from synth.diffusion.model import Model
    from synth.generate import Order

log = logging.getLogger(__name__)


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The environment, read once. Raises RequestError naming a variable that cannot be read."""
    return Settings.from_env()


@st.cache_resource(show_spinner=False)
def rules() -> Rules:
    """The rules of governance.toml, read once. Raises RequestError where it cannot be read."""
    return home.rules(settings().home)


@st.cache_resource(show_spinner=False)
def register() -> Register:
    """The accounts. Raises StoreError when the database or the key of the accounts cannot be opened."""
    return people.opened(settings(), store())


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """Database and blobs. Raises StoreError when they cannot be opened."""
    return Store(settings().database_url, settings().blob_url)


@st.cache_resource(show_spinner=False, on_release=Heads.close)
def heads() -> Heads:
    """Who signs the end of the audit trail on a schedule."""
    folder, asked = settings().home, rules()
    return Heads(store().trail, folder, place(folder, asked.heads), asked.head_minutes)


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The one queue and device thread of this process; it loads the model itself, so no page waits for it."""
    return Engine(store(), _load_model, _generate_batch, _compatible, settings().queue_size)


@st.cache_resource(show_spinner=False)
def meter() -> Meter:
    """The engine as people may use it."""
    return Meter(engine(), store(), rules().hourly(settings().auth != "local"), lambda: datetime.now(UTC))


@st.cache_resource(show_spinner=False)
def departures() -> Departures:
    """The door through which images leave, with the keys of this installation."""
    return Departures(store(), settings().home)


@st.cache_resource(show_spinner=False)
def maker() -> Maker:
    """Who draws the cases of case sets in the background, while nobody waits for an image."""
    return Maker(store(), engine(), FILE if settings().starter else None)


@st.cache_resource(show_spinner=False)
def research() -> Research:
    """Who asks for images, and exports data sets, under protocols."""
    return Research(store(), meter(), {"dcm": departures().dicom, "png": departures().png})


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
def monitor() -> Monitor:
    """What is made, refused and failed here, and whether new pictures still look like the first."""
    return Monitor(store(), _groups)


@st.cache_resource(show_spinner=False)
def model_files() -> ModelFiles:
    """Whether the files of models are those of their cards."""
    return ModelFiles()


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
    """What goes on without anybody asking: the trail is signed, cases drawn, imports go on, drift is watched..."""
    heads()
    maker()
    importer()
    archives()
    looks()


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
    cases = _cases(approved, not sets, library().revision, made)
    return Desk(store(), library(), cases, keys.secret(settings().home, keys.BLIND))


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


@st.cache_resource(show_spinner=False)
def _gate() -> Gate:
    return Gate()


def count_refusal(who: str, kind: str) -> None:
    """Keep that something of a kind was refused to a user; once in ten seconds, and never a word of what it was."""
    now = datetime.now(UTC)
    if not _gate().passes(who, kind, now):
        return
    try:
        store().add_event(AuditEvent(now, who, REFUSED, "", "", {"kind": kind}))
    except StoreError:  # the refusal stands, counted or not
        log.warning("A refusal could not be counted.", exc_info=True)


def about() -> About | None:
    """The model that draws, as documents tell of it; None until it is loaded."""
    status = engine().status()
    if status.card is None:
        return None
    return About(datetime.now(UTC), __version__, status.card, *_card_text(), status.device)


def _groups() -> dict[str, frozenset[str]]:
    """Everybody's groups by name."""
    return {LOCAL_USER.name: LOCAL_USER.groups} | {one.name: one.groups for one in store().people.accounts()}


def _card_text() -> tuple[str, str]:
    """The text of card.md in the model's folder with its sha256 (hex); both empty where there is none."""
    file = settings().models / settings().model_id / "card.md"
    if not file.is_file():
        return "", ""
    data = file.read_bytes()
    return data.decode("utf-8", "replace"), hashlib.sha256(data).hexdigest()


def accept_licence(licence: Licence, who: str) -> None:
    """Keep that somebody accepted the licence of the model that waits, and load it. Raises StoreError."""
    store().accept_licence(licence, who, datetime.now(UTC))
    engine().reload()


# torch takes seconds to import: only the device thread imports it, so the first page is painted before.
def _load_model() -> Model:
    if settings().model_id == "tiny":
        from synth.models.tiny import TinyModel

        model: Model = TinyModel()
    else:
        from synth.models import loader

        model = loader.load(settings(), store().licence_accepted)
    card = model.card
    loaded = Loaded(card.id, card.revision, card.weights_hash(), card.licence, _card_text()[1], str(model.device))
    store().model_register.add(loaded, datetime.now(UTC))
    return model


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

    key = keys.secret(settings().home, keys.WATERMARK)
    return generate_batch(model, [replace(order, key=key) for order in orders], created_at, on_step)


def _compatible(first: GenerationRequest, second: GenerationRequest) -> bool:
    from synth.generate import compatible

    return compatible(first, second)

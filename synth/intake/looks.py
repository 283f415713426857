"""What images look like: vectors computed while nobody waits for an image, the nearest of them, and drift."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from synth import imaging
from synth.errors import DicomError, ModelError, StoreError, SynthError
from synth.library.folders import Library
from synth.library.likeness import MAY_BE_COPY, Likeness, Near
from synth.store import Search, Store
from synth.store.references import Kind
from synth.types import RealImage

SIDE_PX = 256  # of the longer side, at which a picture is looked at
BATCH = 32
REST_S = 0.05  # between two batches: others want the cores too
LOOK_S = 5.0  # between two looks for new images
Grey = npt.NDArray[np.uint8]
log = logging.getLogger(__name__)


class Embed(Protocol):
    """The embedder of `synth.models.embedding`."""

    @property
    def id(self) -> str:
        """Only vectors of the same id may be compared."""

    def __call__(self, pictures: Sequence[Grey]) -> npt.NDArray[np.float32]:
        """N pictures to (N, D) unit vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Images like one, nearest first. `nearer_than`: share of real images that have no other as near as the first."""

    found: tuple[Near, ...]
    nearer_than: float | None = None  # None where there are too few images to say
    seen: int = 0  # images that were compared
    missing: int = 0  # images of the library that were not looked at yet

    @property
    def may_be_copy(self) -> bool:
        """True where the nearest one is nearer than nearly any two images of different people."""
        return self.nearer_than is not None and self.nearer_than >= MAY_BE_COPY


class Looks:
    """The vectors of one server process. Every method may be called from any thread."""

    def __init__(
        self, store: Store, library: Library, load: Callable[[], Embed], busy: Callable[[], bool] = lambda: False
    ) -> None:
        """`load` opens the reader when it is first needed; `busy` says that somebody waits for the cores."""
        self._store, self._library, self._load, self._busy = store, library, load, busy
        self._opening, self._reading = threading.Lock(), threading.Lock()
        self._embed: Embed | None = None
        self._after, self._ids, self._table = 0, list[str](), np.zeros((0, 0), np.float16)
        self._index: tuple[tuple[int, int], Likeness] | None = None
        self._unreadable: set[str] = set()
        self._drawn: dict[Kind, int] = {}  # number of the last synthetic image of each kind that was looked at
        self._woken, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name="looks", daemon=True)
        self._thread.start()

    def like_real(self, image_id: str, k: int, search: Search | None = None) -> Alike:
        """Images of the library that look like one of them, among those that a search finds. Raises SynthError."""
        image = self._library.image(image_id)
        if image is None:
            raise StoreError(f"The library has no image {image_id[:40]!r}.")
        (vector,) = self._vectors([("real", image.id)], lambda: [self._picture(image)])
        index, among = self._searched(search)
        among[index.rows([image_id])] = False
        return self._alike(index, vector, k, among)

    def like_synthetic(self, image_id: str, k: int) -> Alike:
        """Real images of its modality that look like a synthetic one. Raises SynthError."""
        image = self._store.image(image_id)
        (vector,) = self._vectors([("synthetic", image_id)], lambda: [imaging.to_uint8(image.pixels)])
        index, among = self._searched(Search(modality=image.request.modality.value))
        return self._alike(index, vector, k, among)

    @property
    def embedder_id(self) -> str:
        """Which vectors are compared. Raises ModelError where the reader cannot be opened."""
        return self._opened().id

    def wake(self) -> None:
        """Look for new images at once."""
        self._woken.set()

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()
        self._woken.set()
        self._thread.join(timeout=30)

    def _alike(self, index: Likeness, vector: npt.NDArray[np.float32], k: int, among: npt.NDArray[np.bool_]) -> Alike:
        found = tuple(index.nearest(vector, k, among))
        usual = index.nearer_than(found[0].distance, among) if found else None
        return Alike(found, usual, int(among.sum()), max(0, len(self._library.images) - len(index)))

    def _searched(self, search: Search | None) -> tuple[Likeness, npt.NDArray[np.bool_]]:
        """The index, and which of its images a search finds."""
        index = self._current()
        if search is None:
            return index, np.ones(len(index), bool)
        among = np.zeros(len(index), bool)
        among[index.rows(self._store.holdings.ids(search))] = True
        return index, among

    def _current(self) -> Likeness:
        """The vectors of the images that the library has now."""
        embed = self._opened()
        with self._reading:
            after, ids, table = self._store.holdings.vectors(embed.id, "real", self._after)
            if ids:
                self._ids += ids
                self._table = table if not len(self._table) else np.concatenate((self._table, table))
                self._after = after
            state = (self._after, self._library.revision)
            if self._index is None or self._index[0] != state:
                there = {image.id for image in self._library.images}
                rows = [row for row, name in enumerate(self._ids) if name in there]
                names = [self._ids[row] for row in rows]
                people = self._store.holdings.patients()
                index = Likeness(names, self._table[rows], [people.get(name, "") for name in names])
                self._index = (state, index)
            return self._index[1]

    def _vectors(
        self, sources: Sequence[tuple[str, str]], pictures: Callable[[], Sequence[Grey]]
    ) -> npt.NDArray[np.float32]:
        """Vectors (N, D) of images: the stored ones, else computed and stored."""
        embed, names = self._opened(), [f"{kind}:{name}" for kind, name in sources]
        stored = self._store.holdings.vectors_of(embed.id, names)
        if len(stored) < len(names):
            made = embed(pictures())
            self._store.holdings.add_vectors(embed.id, dict(zip(names, made, strict=True)))
            return made
        return np.stack([stored[name].astype(np.float32) for name in names])

    def _opened(self) -> Embed:
        with self._opening:
            if self._embed is None:
                self._embed = self._load()
            return self._embed

    def _picture(self, image: RealImage) -> Grey:
        whole: Grey = imaging.resize(self._library.whole(image.id), SIDE_PX)
        return whole

    def _loop(self) -> None:
        while not self._closing.is_set():
            try:
                worked = not self._busy() and (self._look() or self._look_at_drawn())
            except ModelError as error:
                log.warning("Images are not compared: %s", error)
                return
            except SynthError as error:
                log.warning("Images wait to be compared: %s", error)
                worked = False
            self._woken.wait(REST_S if worked else LOOK_S)
            self._woken.clear()

    def _look(self) -> bool:
        """One batch of images that have no vector yet; False where there is none."""
        if not self._library.images:
            return False
        embed = self._opened()
        left = self._store.holdings.without_vector(embed.id, BATCH + len(self._unreadable))
        images = [image for image in left if image.id not in self._unreadable][:BATCH]
        pictures = []
        for image in images:
            try:
                pictures.append((f"real:{image.id}", self._picture(image)))
            except DicomError as error:
                log.info("%s", error)
                self._unreadable.add(image.id)
        if pictures:
            vectors = embed([picture for _, picture in pictures])
            named = zip((name for name, _ in pictures), vectors, strict=True)
            self._store.holdings.add_vectors(embed.id, dict(named))
        return bool(images)

    def _look_at_drawn(self) -> bool:
        """One batch of new synthetic pictures, from which drift is told; False where there is none."""
        references = self._store.references
        for kind in references.kinds():
            embed = self._opened()
            if names := references.unseen(kind, embed.id, self._drawn.get(kind, 0), BATCH):
                self._drawn[kind] = max(names.values())
                self._see_drawn(embed, names)
                return True
            references.freeze(kind, embed.id, datetime.now(UTC))
        return False

    def _see_drawn(self, embed: Embed, image_ids: Iterable[str]) -> None:
        pictures: dict[str, Grey] = {}
        for image_id in image_ids:
            try:
                pictures[f"synthetic:{image_id}"] = imaging.to_uint8(self._store.image(image_id).pixels)
            except StoreError as error:
                log.info("%s", error)
        if pictures:
            vectors = embed([*pictures.values()])
            self._store.holdings.add_vectors(embed.id, dict(zip(pictures, vectors, strict=True)))

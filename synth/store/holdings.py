"""The real images of the library in the store: searched, edited, taken out and put back, never lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.orm import Session

from synth.errors import StoreError
from synth.origins import AuditEvent, RealImage
from synth.store import holding_records
from synth.store.blobs import Blobs, decode_png, encode_png
from synth.store.database import Database, insert_once
from synth.store.holding_records import Facets, Holding, Search
from synth.store.holding_tables import CounterRow, HoldingRow, VectorRow
from synth.store.trail import append
from synth.types import Pixels

LIBRARY = "library"  # the counter that grows with every change
AT_ONCE = 10_000  # ids in one statement: SQLite takes 32,766 values and PostgreSQL 65,535

_LABELS = (
    *("modality", "view", "body_part", "sex", "age", "findings", "origin", "licence", "attribution", "note"),
    *("boxes", "mask"),
)
_SHOWN = (HoldingRow.listed, HoldingRow.removed_at.is_(None))
_LISTED = tuple(getattr(HoldingRow, name) for name in ("seq", "id", "listed", "edited", "words", *_LABELS))
_PLAIN = tuple(getattr(HoldingRow, name) for name in ("id", "path", "kept", "frame", "listed", "removed_at", *_LABELS))


class Holdings:
    """Real images with their labels, and their files where the store keeps them. Safe from any thread."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database, self._blobs = database, blobs

    def register(self, images: Sequence[RealImage]) -> None:
        """Make the rows of a library folder the images that it lists now: new, relabelled and gone ones.

        What a person edited or put into the bin stays so. An image that is gone is shown nowhere until it is back.
        """
        listed = {image.id: image for image in images}
        with self._database.writing() as session:
            rows = {row.id: row for row in session.execute(select(*_LISTED).where(HoldingRow.path != ""))}
            new = [image for name, image in listed.items() if name not in rows]
            stale = [row for name, row in rows.items() if _stale(row, listed.get(name))]
            if not new and not stale:
                return
            stamp = {"changed": _bumped(session)}
            if new:
                fresh = stamp | {"import_id": "", "added_at": _now()}
                session.execute(insert(HoldingRow), [holding_records.columns(Holding(image)) | fresh for image in new])
            if stale:
                changed = [_relabelled(row, listed.get(row.id)) | stamp for row in stale]
                session.execute(update(HoldingRow), changed)

    def changes(self, since: int) -> tuple[int, tuple[RealImage, ...]]:
        """The library's counter, and every image that changed after the counter was `since`, removed ones too."""
        with self._database.reading() as session:
            revision = session.scalar(select(CounterRow.value).where(CounterRow.name == LIBRARY)) or 0
            if revision <= since:
                return revision, ()
            query = select(*_PLAIN).where(HoldingRow.changed > since, HoldingRow.changed <= revision)
            rows = session.execute(query.order_by(HoldingRow.seq))  # plain columns: of 50,000 objects each takes 50 us
            return revision, tuple(holding_records.real_image(row) for row in rows)

    def search(self, search: Search, limit: int, offset: int = 0) -> tuple[int, tuple[Holding, ...]]:
        """How many images fit, and a page of them, newest first."""
        query = _fitting(select(HoldingRow), search).order_by(HoldingRow.seq.desc()).limit(limit).offset(offset)
        with self._database.reading() as session:
            count = session.scalar(_fitting(select(func.count()).select_from(HoldingRow), search)) or 0
            return count, tuple(holding_records.holding(row) for row in session.scalars(query))

    def ids(self, search: Search) -> tuple[str, ...]:
        """The ids of all images that fit, newest first."""
        query = _fitting(select(HoldingRow.id), search).order_by(HoldingRow.seq.desc())
        with self._database.reading() as session:
            return tuple(session.scalars(query))

    def facets(self) -> Facets:
        """What occurs in the library, without the bin."""
        plain = ("modality", "view", "body_part", "sex", "origin", "licence", "findings", "flags")
        with self._database.reading() as session:
            found: dict[str, set[str]] = {}
            for name in plain:
                column = getattr(HoldingRow, name)
                query = select(column).where(*_SHOWN).distinct()
                found[name] = {value for value in session.scalars(query) if value}
        for name in ("findings", "flags"):
            found[name] = {word for text in found[name] for word in holding_records.parted(text)}
        offered = (found[name] for name in ("findings", "modality", "view", "body_part", "sex", "origin", "licence"))
        return Facets(*(tuple(sorted(values)) for values in (*offered, found["flags"])))

    def holding(self, image_id: str) -> Holding:
        """One image, also from the bin. Raises StoreError when it is unknown."""
        with self._database.reading() as session:
            row = session.scalar(select(HoldingRow).where(HoldingRow.id == image_id))
            if row is None:
                raise StoreError(f"The library has no image {image_id[:40]!r}.")
            return holding_records.holding(row)

    def holdings(self, image_ids: Sequence[str]) -> tuple[Holding, ...]:
        """The images of these ids that there are, in this order."""
        with self._database.reading() as session:
            rows = session.scalars(select(HoldingRow).where(HoldingRow.id.in_(image_ids)))
            found = {row.id: holding_records.holding(row) for row in rows}
        return tuple(found[name] for name in image_ids if name in found)

    def edit(self, image: RealImage, event: AuditEvent) -> None:
        """Write the labels, boxes, mask and note of an image. Raises StoreError when it is unknown."""
        with self._database.writing() as session:
            values = holding_records.labels(image) | {"edited": True, "changed": _bumped(session)}
            changed = session.execute(
                update(HoldingRow).where(HoldingRow.id == image.id).values(values).returning(HoldingRow.id)
            )
            if changed.first() is None:
                raise StoreError(f"The library has no image {image.id[:40]!r}.")
            append(session, [event])

    def remove(self, image_ids: Iterable[str], events: Sequence[AuditEvent]) -> None:
        """Put images into the bin: they are shown nowhere else and can be put back."""
        self._bin(image_ids, _now(), events)

    def restore(self, image_ids: Iterable[str], events: Sequence[AuditEvent]) -> None:
        """Put images back from the bin."""
        self._bin(image_ids, None, events)

    def held(self, originals: Iterable[str]) -> set[str]:
        """Which of these keyed hashes of SOP Instance UIDs the library has, also in the bin."""
        query = select(HoldingRow.original).where(HoldingRow.original.in_(list(originals)))
        with self._database.reading() as session:
            return set(session.scalars(query))

    def file(self, kept: str) -> bytes:
        """A kept file by its name. Raises StoreError when it is missing or damaged."""
        digest, _, suffix = kept.partition(".")
        return self._blobs.get(digest, f".{suffix}")

    def forget(self, holdings: Sequence[Holding]) -> None:
        """Delete the files of pictures that did not become images, where no image uses them."""
        for kept, column in (("kept", HoldingRow.kept), ("thumbnail", HoldingRow.thumbnail)):
            names = {one.image.kept if kept == "kept" else f"{one.thumbnail}.png" for one in holdings}
            bare = {name.partition(".")[0]: name for name in names}
            with self._database.reading() as session:
                query = select(column).where(column.in_([*names, *bare]))
                used = {name.partition(".")[0] for name in session.scalars(query)}
            for digest in bare.keys() - used:
                self._blobs.remove(digest, f".{bare[digest].partition('.')[2]}")

    def thumbnail(self, digest: str) -> Pixels:
        """The stored small picture (h, w) of an image. Raises StoreError when it is missing or damaged."""
        return decode_png(self._blobs.get(digest))

    def add_mask(self, mask: npt.NDArray[np.bool_]) -> str:
        """Keep a mask (H, W) and return the name that `RealImage.mask` holds."""
        return self._blobs.put(encode_png(np.where(mask, np.uint8(255), np.uint8(0))))

    def without_vector(self, version: str, limit: int) -> tuple[RealImage, ...]:
        """Images of the library that have no vector of this version of the reader yet."""
        named = select(VectorRow.source).where(VectorRow.version == version)
        query = select(HoldingRow).where(*_SHOWN, ("real:" + HoldingRow.id).not_in(named))
        with self._database.reading() as session:
            return tuple(holding_records.real_image(row) for row in session.scalars(query.limit(limit)))

    def add_vectors(self, version: str, vectors: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Keep unit vectors by source ("real:<id>", "synthetic:<id>"); one that is there stays."""
        with self._database.writing() as session:
            for source, vector in vectors.items():
                data = vector.astype(np.float16).tobytes()
                insert_once(session, VectorRow, {"source": source, "version": version, "vector": data})

    def vectors(self, version: str, kind: str, after: int = 0) -> tuple[int, list[str], npt.NDArray[np.float16]]:
        """Ids and vectors (N, D) of "real" or "synthetic" images kept after number `after`, and the last number."""
        mine = (VectorRow.version == version, VectorRow.source.startswith(f"{kind}:"), VectorRow.seq > after)
        query = select(VectorRow.seq, VectorRow.source, VectorRow.vector).where(*mine)
        with self._database.reading() as session:
            rows = session.execute(query.order_by(VectorRow.seq)).all()
        flat = np.frombuffer(b"".join(row.vector for row in rows), np.float16)
        table = flat.reshape(len(rows), -1) if rows else np.zeros((0, 0), np.float16)
        return rows[-1].seq if rows else after, [row.source.partition(":")[2] for row in rows], table

    def vectors_of(self, version: str, sources: Sequence[str]) -> dict[str, npt.NDArray[np.float16]]:
        """The vectors (D,) of these sources that there are."""
        query = select(VectorRow).where(VectorRow.version == version, VectorRow.source.in_(sources))
        with self._database.reading() as session:
            return {row.source: np.frombuffer(row.vector, np.float16) for row in session.scalars(query)}

    def patients(self) -> dict[str, str]:
        """The pseudonym of every image that has one."""
        query = select(HoldingRow.id, HoldingRow.patient).where(HoldingRow.patient != "")
        with self._database.reading() as session:
            return {row.id: row.patient for row in session.execute(query)}

    def _bin(self, image_ids: Iterable[str], at: datetime | None, events: Sequence[AuditEvent]) -> None:
        with self._database.writing() as session:
            values = {"removed_at": at, "changed": _bumped(session)}
            names = list(image_ids)
            for start in range(0, len(names), AT_ONCE):
                some = names[start : start + AT_ONCE]
                session.execute(update(HoldingRow).where(HoldingRow.id.in_(some)).values(values))
            append(session, events)


def add_holdings(session: Session, holdings: Sequence[Holding], import_id: str) -> int:
    """Add pictures whose pixels are new to the library; returns how many were."""
    if not holdings:
        return 0
    known = select(HoldingRow.pixel_hash).where(HoldingRow.pixel_hash.in_([one.pixel_hash for one in holdings]))
    there = set(session.scalars(known))
    if len(there) == len(holdings):
        return 0
    stamp = {"changed": _bumped(session), "import_id": import_id, "added_at": _now()}
    added = 0
    for holding in holdings:
        if holding.pixel_hash not in there:
            added += insert_once(session, HoldingRow, holding_records.columns(holding) | stamp)
            there.add(holding.pixel_hash)
    return added


def _stale(row: Row[Any], image: RealImage | None) -> bool:
    """True where the folder says something else of an image than its row does."""
    if image is None or not row.listed:
        return bool(row.listed) is (image is None)
    return not row.edited and any(getattr(row, name) != now for name, now in holding_records.labels(image).items())


def _relabelled(row: Row[Any], image: RealImage | None) -> dict[str, Any]:
    """The columns of a stale row as they are to be, with its key."""
    labels = holding_records.labels(image) if image and not row.edited else {}
    return {"seq": row.seq, "listed": image is not None} | labels


def _fitting(query: Select[Any], search: Search) -> Select[Any]:
    row = HoldingRow
    query = query.where(row.listed, row.removed_at.is_not(None) if search.removed else row.removed_at.is_(None))
    for name in ("modality", "view", "body_part", "sex", "origin", "licence", "import_id"):
        if (value := getattr(search, name)) is not None:
            query = query.where(getattr(row, name) == value)
    if search.finding is not None:
        query = query.where(_holds(row.findings, f"|{search.finding}|"))
    if search.flag is not None:
        query = query.where(_holds(row.flags, f"|{search.flag}|"))
    if search.age_from is not None:
        query = query.where(row.age >= search.age_from)
    if search.age_to is not None:
        query = query.where(row.age <= search.age_to)
    for word in search.text.lower().split():
        query = query.where(_holds(row.words, word))
    return query


def _holds(column: Any, word: str) -> Any:
    """A condition: the text of the column holds the word, with % and _ as themselves."""
    return column.contains(word, autoescape=True)


def _bumped(session: Session) -> int:
    """The counter of the library, one further: whoever writes next waits for this transaction."""
    insert_once(session, CounterRow, {"name": LIBRARY, "value": 0})
    counted = update(CounterRow).where(CounterRow.name == LIBRARY).values(value=CounterRow.value + 1)
    value: int = session.execute(counted.returning(CounterRow.value)).scalar_one()
    return value


def _now() -> datetime:
    return datetime.now(UTC)

"""Research: images are asked for, and data sets leave, under a protocol that is valid at that moment and no other."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from synth.engine import Engine
from synth.errors import PolicyError
from synth.export.dataset import Sheet, dataset_zip
from synth.governance.protocols import Protocol, require_protocol
from synth.governance.release import Release, Use
from synth.governance.roles import Permission, User, require
from synth.meter import Meter
from synth.store import Store
from synth.store.protocols import EXPORT
from synth.types import AuditEvent, GeneratedImage, GenerationRequest, Job

IMAGES_MAX = 5000  # of one data set: it is made in memory
LICENCE = "Use the images for the purpose of the protocol only, and keep the mark on them. {weights}"
Write = Callable[[GeneratedImage, str], bytes]  # an image, and who exports it


class Research:
    """What researchers do under protocols. Every method raises PolicyError in the sentence of what is missing."""

    def __init__(self, store: Store, engine: Engine | Meter, writers: Mapping[str, Write]) -> None:
        """`writers` make a marked file of an image, by the ending of its name, as "dcm"."""
        self._store, self._engine, self._writers = store, engine, writers

    def protocols(self, user: User) -> list[Protocol]:
        """The open protocols that a user belongs to, the latest first."""
        now = datetime.now(UTC)
        return [one for one in self._store.protocols.protocols() if one.open(now) and one.has(user)]

    def submit_all(self, requests: Sequence[GenerationRequest], user: User, protocol_id: str) -> list[Job]:
        """Queue requests under a protocol, which jobs, images and events then name. Raises BusyError, StoreError."""
        now = datetime.now(UTC)
        self._permitted(protocol_id, user, requests, now)
        ids = [uuid.uuid4().hex for _ in requests]
        self._store.protocols.claim(protocol_id, ids, user, now)  # first: no job is ever without it
        return self._engine.submit_all(requests, user.name, ids)

    def ready(self, protocol_id: str, user: User) -> int:
        """How many images a data set would have now."""
        self._permitted(protocol_id, user, (), datetime.now(UTC))
        return len(self._store.protocols.usable(protocol_id))

    def dataset(self, protocol_id: str, user: User, ending: str) -> bytes:
        """The ZIP of all images of a protocol that radiologists and the governance officer let go. Raises StoreError.

        An image that is withdrawn while the file is made stops it.
        """
        now = datetime.now(UTC)
        protocol = self._permitted(protocol_id, user, (), now)
        names = self._store.protocols.usable(protocol_id)
        if not 0 < len(names) <= IMAGES_MAX:
            need = f"a data set has 1 to {IMAGES_MAX} that are released and fit for research"
            raise PolicyError(f"{protocol.words} has {len(names)} such images; {need}.")
        sheet, write = Sheet(protocol, user.name, now, self._licence()), self._writers[ending]
        data = dataset_zip(sheet, self._images(names), ending, lambda image: write(image, user.name))
        detail = {"images": len(names), "format": ending, "sha256": hashlib.sha256(data).hexdigest()}
        self._store.protocols.add_export(names, AuditEvent(now, user.name, EXPORT, protocol_id, "", detail))
        return data

    def _images(self, names: Sequence[str]) -> Iterator[tuple[GeneratedImage, Release]]:
        releases = self._store.validation.releases(names)
        for name in names:
            releases[name].require(Use.RESEARCH)
            yield self._store.image(name), releases[name]

    def _licence(self) -> str:
        card = self._engine.status().card
        named = f"The weights of {card.id} are under {card.licence}." if card else "The model's card names its licence."
        return LICENCE.format(weights=named)

    def _permitted(
        self, protocol_id: str, user: User, requests: Sequence[GenerationRequest], now: datetime
    ) -> Protocol:
        """The protocol, where it covers this. Raises PolicyError."""
        require(user, Permission.RESEARCH)
        protocol = self._store.protocols.protocol(protocol_id) if protocol_id else None
        require_protocol(protocol, user, requests, now)
        assert protocol is not None
        return protocol

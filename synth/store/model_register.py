"""The register of models: an event whenever this installation begins to draw with other weights than before."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select

from synth.origins import AuditEvent
from synth.store.database import Database
from synth.store.tables import EventRow
from synth.store.trail import append

LOADED = "model.loaded"
ACCEPTED = "licence.accepted"
CONFIGURATION = "configuration"  # who switched, where SYNTH_MODEL did


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model as it was loaded. `card` is the sha256 (hex) of its card's text, empty where it has none."""

    model: str
    revision: str
    weights: str  # hash over all files
    licence: str
    card: str
    device: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One switch: when (UTC), by whom, to what, and who had accepted the licence; nobody had to for one of ours."""

    at: datetime
    who: str
    loaded: Loaded
    accepted_by: str = ""


class ModelRegister:
    """The models that drew in this database. Every method may be called from any thread and raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, limit: int = 100) -> tuple[Entry, ...]:
        """The switches, newest first."""
        query = select(EventRow).where(EventRow.action == LOADED).order_by(EventRow.seq.desc()).limit(limit)
        with self._database.reading() as session:
            return tuple(_entry(row) for row in session.scalars(query))

    def add(self, loaded: Loaded, at: datetime, who: str = CONFIGURATION) -> bool:
        """Keep that a model was loaded; False, and nothing is kept, where it is the one of before."""
        last = self.entries(1)
        if last and _weights(last[0].loaded) == _weights(loaded):
            return False
        detail = asdict(loaded) | {"accepted_by": self._accepted_by(loaded)}
        with self._database.writing() as session:
            append(session, [AuditEvent(at, who, LOADED, loaded.weights, "", detail)])
        return True

    def _accepted_by(self, loaded: Loaded) -> str:
        query = select(EventRow).where(EventRow.action == ACCEPTED).order_by(EventRow.seq.desc())
        with self._database.reading() as session:
            for row in session.scalars(query):
                accepted = json.loads(row.detail)
                if (accepted["model"], accepted["revision"]) == (loaded.model, loaded.revision):
                    return row.who
        return ""


def _weights(loaded: Loaded) -> tuple[str, str, str]:
    return loaded.model, loaded.revision, loaded.weights


def _entry(row: EventRow) -> Entry:
    detail = json.loads(row.detail)
    accepted_by = detail.pop("accepted_by")
    return Entry(row.at, row.who, Loaded(**detail), accepted_by)

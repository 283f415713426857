"""Real images and imports as tests need them, in few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from synth.origins import AuditEvent, RealImage
from synth.store import Store
from synth.store.holding_records import FileOutcome, Holding, Outcome

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def event(action: str = "library.test", subject: str = "", who: str = "ada") -> AuditEvent:
    return AuditEvent(NOON, who, action, subject, "")


def image(name: str, **changes: Any) -> RealImage:
    """A film of the library folder; with `kept` one of the store."""
    plain = {
        "path": f"{name}.png", "modality": "DX", "view": "PA", "sex": "F", "age": 50, "findings": ("normal",),
        "origin": "Collection", "licence": "CC0 1.0",
    }  # fmt: skip
    return RealImage(id=name, **{**plain, **changes})


def holding(name: str, pixels: str = "", **changes: Any) -> Holding:
    """A kept picture; `pixels` stands for its values."""
    own = {name: changes.pop(name) for name in ("flags", "original") if name in changes}
    return Holding(image(name, path="", kept=f"{name}.dcm", **changes), pixels or f"pixels of {name}", **own)


def added(name: str, *holdings: Holding) -> FileOutcome:
    return FileOutcome(name, Outcome.ADDED, "", holdings or (holding(name),))


def refused(name: str) -> FileOutcome:
    return FileOutcome(name, Outcome.REFUSED, f"{name} is no image.")


def begun(store: Store, title: str = "test") -> str:
    return store.imports.begin("ada", {"title": title}, event("library.import"))

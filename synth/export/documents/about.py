"""What the documents are about: the model, its card, and what this installation has counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from synth.export.documents.blocks import Figure, Source
from synth.types import ModelCard


@dataclass(frozen=True, slots=True)
class About:
    """The model that draws and the moment. `card_text` is that of card.md, empty for a model without one."""

    made_at: datetime  # UTC
    version: str  # of this program
    card: ModelCard
    card_text: str
    card_digest: str  # sha256 (hex) of the text
    device: str

    @property
    def time(self) -> str:
        """The moment as documents write it."""
        return f"{self.made_at:%Y-%m-%d %H:%M} UTC"

    @property
    def made(self) -> str:
        """The footer."""
        model = f"model {self.card.id}, revision {self.card.revision}"
        return f"Made {self.time} by SynthRead {self.version} for {model}."

    @property
    def from_card(self) -> Source:
        """The card as a source."""
        if self.card_text:
            return Source(f"card.md of {self.card.id}, sha256 {self.card_digest}")
        return Source(f"Fields of the card of {self.card.id}, revision {self.card.revision}, in the program")

    def counted(self, query: str) -> Source:
        """A query over the database of this installation as a source."""
        return Source(f"Database of this installation, {query}", self.time)

    def figure(self, value: object, query: str) -> Figure:
        """A number that a query gave."""
        return Figure(str(value), self.counted(query))


@dataclass(frozen=True, slots=True)
class Use:
    """What a revision of a model has made here: images, those checked, those that failed, and when the first was."""

    images: int
    checked: int
    failing: int
    first: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """Real images of the library from one place under one licence."""

    origin: str
    licence: str
    modality: str
    images: int

"""Protocols: research is made and exported under one that an ethics board has seen. Education needs none. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from synth.errors import PolicyError, RequestError
from synth.findings import term
from synth.governance.roles import User
from synth.terms import Modality
from synth.types import GenerationRequest

WORDS_MAX = 2000  # characters of the purpose
TITLE_MAX = 120


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a board has allowed: which images, for what, by whom, until when. `ended_at` closes it early."""

    id: str
    title: str
    board: str  # the board's reference
    purpose: str
    opened_at: datetime  # UTC
    expires_at: datetime  # UTC: no longer valid from here on
    modalities: tuple[str, ...]  # DICOM codes
    findings: tuple[str, ...]  # codes of synth.findings; a normal image is always covered
    people: tuple[str, ...] = ()  # by name
    groups: tuple[str, ...] = ()
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        for name, text, most in (
            ("title", self.title, TITLE_MAX),
            ("board reference", self.board, TITLE_MAX),
            ("purpose", self.purpose, WORDS_MAX),
        ):
            if not 1 <= len(text.strip()) <= most:
                raise RequestError(f"The {name} has {len(text.strip())} characters; it needs 1 to {most}.")
        if self.expires_at <= self.opened_at:
            raise RequestError(f"The protocol would expire on {self.expires_at:%Y-%m-%d}; choose a later day.")
        if not self.modalities or not set(self.modalities) <= set(Modality):
            raise RequestError(f"Modalities are {list(self.modalities)}; choose one or more of {', '.join(Modality)}.")
        for code in self.findings:
            term(code)

    def has(self, user: User) -> bool:
        """Whether the user is one of its people, by name or by group."""
        return user.name in self.people or not user.groups.isdisjoint(self.groups)

    def open(self, now: datetime) -> bool:
        """Whether it has neither ended nor expired."""
        return self.ended_at is None and now < self.expires_at

    @property
    def words(self) -> str:
        """How a sentence names it."""
        return f"The protocol {self.title.strip()!r}"


def require_protocol(
    protocol: Protocol | None, user: User, requests: Iterable[GenerationRequest], now: datetime
) -> None:
    """Pass research by `user` that the protocol covers; raises PolicyError with the sentence of what is missing."""
    if protocol is None:
        raise PolicyError("Research needs a protocol; a governance officer opens one on the page Administration.")
    if protocol.ended_at is not None:
        raise PolicyError(f"{protocol.words} was ended on {protocol.ended_at:%Y-%m-%d}; choose one that is open.")
    if now >= protocol.expires_at:
        raise PolicyError(f"{protocol.words} expired on {protocol.expires_at:%Y-%m-%d}; choose one that is open.")
    if not protocol.has(user):
        raise PolicyError(f"{user.name} is not one of the people of {protocol.words[0].lower()}{protocol.words[1:]}.")
    for request in requests:
        _require_cover(protocol, request)


def _require_cover(protocol: Protocol, request: GenerationRequest) -> None:
    if request.modality not in protocol.modalities:
        covered = ", ".join(protocol.modalities)
        raise PolicyError(f"{protocol.words} does not cover the modality {request.modality}; it covers {covered}.")
    for finding in request.findings:
        if finding.code not in protocol.findings:
            covered = ", ".join(term(code).name for code in protocol.findings) or "normal images only"
            name = term(finding.code).name
            raise PolicyError(f"{protocol.words} does not cover the finding {name}; it covers {covered}.")

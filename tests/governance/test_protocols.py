"""Protocols: what is refused without a valid one, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import PolicyError, RequestError
from synth.governance.protocols import Protocol, require_protocol
from synth.governance.roles import Role, User
from synth.types import Finding, GenerationRequest, Modality, View

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADA = User("ada", frozenset({Role.RESEARCHER}))
PROTOCOL = Protocol(
    "p", "Nodules", "EK 12/26", "Does it help?", NOW - timedelta(days=1), NOW + timedelta(days=1),
    ("DX",), ("nodule",), ("ada",), ("team",),
)  # fmt: skip
NODULE = GenerationRequest(findings=(Finding("nodule"),))


def test_a_member_may_ask_for_what_is_covered_until_it_expires() -> None:
    require_protocol(PROTOCOL, ADA, [NODULE, GenerationRequest()], NOW)
    require_protocol(PROTOCOL, User("bob", frozenset(), frozenset({"team"})), [NODULE], NOW)
    assert PROTOCOL.open(NOW) and not PROTOCOL.open(NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("protocol", "user", "request_", "sentence"),
    [
        (None, ADA, NODULE, "Research needs a protocol; a governance officer opens one on the page Administration."),
        (
            replace(PROTOCOL, expires_at=NOW),
            ADA,
            NODULE,
            "The protocol 'Nodules' expired on 2026-05-04; choose one that is open.",
        ),
        (
            replace(PROTOCOL, ended_at=NOW - timedelta(hours=1)),
            ADA,
            NODULE,
            "The protocol 'Nodules' was ended on 2026-05-04; choose one that is open.",
        ),
        (PROTOCOL, User("eve"), NODULE, "eve is not one of the people of the protocol 'Nodules'."),
        (
            PROTOCOL,
            ADA,
            GenerationRequest(modality=Modality.CT, view=View.AXIAL),
            "The protocol 'Nodules' does not cover the modality CT; it covers DX.",
        ),
        (
            PROTOCOL,
            ADA,
            GenerationRequest(findings=(Finding("nodule"), Finding("pneumothorax"))),
            "The protocol 'Nodules' does not cover the finding pneumothorax; it covers nodule.",
        ),
    ],
)
def test_what_is_missing_is_told(
    protocol: Protocol | None, user: User, request_: GenerationRequest, sentence: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        require_protocol(protocol, user, [NODULE, request_] if protocol else [request_], NOW)
    assert str(refused.value) == sentence


@given(st.integers(-5, 5), st.integers(-5, 5) | st.none(), st.booleans())
def test_research_passes_only_while_the_protocol_is_open_and_for_its_people(
    expires: int, ended: int | None, member: bool
) -> None:
    protocol = replace(
        PROTOCOL,
        opened_at=NOW - timedelta(days=9),
        expires_at=NOW + timedelta(days=expires),
        ended_at=None if ended is None else NOW + timedelta(days=ended),
    )
    user = ADA if member else User("eve", ADA.roles)
    if member and protocol.open(NOW):
        require_protocol(protocol, user, [NODULE], NOW)
    else:
        with pytest.raises(PolicyError):
            require_protocol(protocol, user, [NODULE], NOW)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": " "}, "The title has 0 characters; it needs 1 to 120."),
        ({"board": ""}, "The board reference has 0 characters; it needs 1 to 120."),
        ({"purpose": "x" * 2001}, "The purpose has 2001 characters; it needs 1 to 2000."),
        ({"expires_at": NOW - timedelta(days=2)}, "The protocol would expire on 2026-05-02; choose a later day."),
        ({"modalities": ()}, "Modalities are []; choose one or more of DX, CT, MR, PT, OT."),
    ],
)
def test_a_protocol_that_says_too_little_is_refused(changes: dict, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        replace(PROTOCOL, **changes)
    assert str(refused.value) == sentence

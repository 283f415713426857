"""The register of models: one entry a switch, with who had accepted the licence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from synth.origins import Licence
from synth.store import Store
from synth.store.model_register import Entry, Loaded

AT = datetime(2026, 5, 4, tzinfo=UTC)
OURS = Loaded("ours", "1", "a" * 64, "research only", "c" * 64, "cpu")


def test_only_a_model_that_differs_from_the_last_is_entered(store: Store) -> None:
    other = replace(OURS, revision="2", weights="b" * 64)
    entered = [store.model_register.add(one, AT) for one in (OURS, OURS, replace(OURS, device="cuda"), other, OURS)]
    assert entered == [True, False, False, True, True]
    assert store.model_register.entries() == tuple(Entry(AT, "configuration", one) for one in (OURS, other, OURS))
    assert [event.subject for event in store.events()] == ["a" * 64, "b" * 64, "a" * 64]


def test_who_accepted_the_licence_of_the_revision_is_named(store: Store) -> None:
    store.accept_licence(Licence("theirs", "1", "openrail"), "ada", AT)
    store.accept_licence(Licence("theirs", "2", "openrail"), "tom", AT)
    for revision in ("1", "2", "3"):
        store.model_register.add(replace(OURS, model="theirs", revision=revision), AT)
    assert [entry.accepted_by for entry in store.model_register.entries()] == ["", "tom", "ada"]

"""Figures are kept for some seconds, so that who asks often does not read whole tables often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from synth import monitor
from synth.errors import RequestError
from synth.export.documents.about import Held, Use
from synth.monitor import Monitor
from synth.store import Store
from synth.types import GeneratedImage
from tests.holdings import image as real

Make = Callable[..., GeneratedImage]


def test_figures_are_counted_anew_after_ten_seconds_only(
    store: Store, make_image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(monitor.time, "monotonic", lambda: clock[0])
    watched = Monitor(store)
    assert watched.totals().images == ()
    store.add_image(make_image("a"))
    clock[0] += 9.9
    assert watched.totals().images == ()
    clock[0] += 0.2
    assert watched.totals().images == (("tiny", "DX", 1),)


def test_a_kind_is_collected_until_there_are_enough(store: Store, make_image: Make) -> None:
    store.add_image(make_image("a"))
    (one,) = Monitor(store).watched()
    assert (one.kind, one.collected, one.reference, one.chart) == (("tiny", "1", "DX"), 0, None, None)
    assert Monitor(store).alarms() == ()


def test_a_new_reference_needs_a_reason(store: Store) -> None:
    with pytest.raises(RequestError, match=r"^The reason has 5 characters; at least 10 are needed\.$"):
        Monitor(store).renew(("tiny", "1", "DX"), "ada", " short ")


def test_documents_get_what_was_made_and_where_real_images_are_from(store: Store, make_image: Make) -> None:
    store.add_image(make_image("a"))
    store.holdings.register([real("r")])
    first = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)
    assert Monitor(store).use("tiny", "1") == Use(1, 1, 0, first)
    assert Monitor(store).use("tiny", "2") == Use(0, 0, 0, None)
    assert Monitor(store).held() == (Held("Collection", "CC0 1.0", "DX", 1),)


def test_images_are_counted_by_group_where_there_are_groups(store: Store, make_image: Make) -> None:
    image = make_image("a", "ada")
    store.add_image(replace(image, provenance=replace(image.provenance, created_at=datetime.now(UTC))))
    assert Monitor(store, lambda: {"ada": {"year 1"}}).by_group(1) == {"year 1": 1}
    assert Monitor(store, lambda: {"tom": {"year 1"}}).by_group(1) == {"no group": 1}
    assert Monitor(store, lambda: {"ada": ()}).by_group(1) == {}

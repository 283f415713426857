"""The licence of a model of others: read from its card, accepted for one revision, kept over a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from synth.config import Settings
from synth.errors import LicenceNotAccepted, ModelError
from synth.generate import Order, generate_batch
from synth.models.cards import write_card
from synth.models.checkpoint import open_checkpoint
from synth.models.licences import licence_of, revision_of
from synth.models.loader import choose_device, load
from synth.origins import Licence
from synth.store import Store
from synth.types import GenerationRequest

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "licence", "link"),
    [
        ("---\nlicense: creativeml-openrail-m\ntags:\n- x\n---\n# Card", "creativeml-openrail-m", ""),
        (
            "---\nlicense: other\nlicense_name: radnet\nlicense_link: https://x.org/l\n---\n",
            "radnet",
            "https://x.org/l",
        ),
        ("---\nlicense: other\nlicense_link: javascript:alert(1)\n---\n", "other", ""),
        ("---\nlicense: x\nlicense_link: 'https://x.org/) [y](https://evil.org'\n---\n", "x", ""),
        ("---\nlicense:\n- mit\n- cc-by-4.0\n---\n", "mit, cc-by-4.0", ""),
        ("---\r\nlicense: mit\r\n---\r\n", "mit", ""),
        ("\ufeff---\nlicense: mit\n---\n", "mit", ""),
        ("# A card without front matter\nlicense: mit\n", "unknown", ""),
        ("---\nlicense: [broken\n---\n", "unknown", ""),
        ("---\n- a list\n---\n", "unknown", ""),
        ("---\nlicense:\n---\n", "unknown", ""),
        ("---\n!!python/object/apply:os.system ['false']\n---\n", "unknown", ""),
        ("", "unknown", ""),
    ],
)
def test_the_licence_is_that_of_the_front_matter(tmp_path: Path, text: str, licence: str, link: str) -> None:
    (tmp_path / "README.md").write_text(text, encoding="utf-8", newline="")
    found = licence_of(tmp_path, "net", "1")
    assert (found.name, found.link, found.model_id, found.revision) == (licence, link, "net", "1")


def test_a_folder_without_a_card_has_an_unknown_licence(tmp_path: Path) -> None:
    assert licence_of(tmp_path, "net", "1").name == "unknown"
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\n---\n")
    assert licence_of(tmp_path, "net", "1").name == "unknown"


def test_the_card_of_the_folder_counts_more_than_its_readme(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    (tmp_path / "card.md").write_text("---\nlicense: gpl-3.0\n---\n")
    assert licence_of(tmp_path, "net", "1").name == "gpl-3.0"
    folder = settings.models / "sd"
    card = open_checkpoint(folder, "sd", choose_device("cpu")).card
    write_card(folder, replace(card, licence="CC0", limits="Knows nothing."), "")
    found = licence_of(folder, "sd", "1")
    assert (found.name, found.limits) == ("CC0", "Knows nothing.")


@pytest.fixture
def settings(tmp_path: Path, save_checkpoint: Callable[..., Path]) -> Settings:
    """A tiny checkpoint under the licence "openrail" is the model."""
    (save_checkpoint(usable=True) / "README.md").write_text("---\nlicense: openrail\n---\n")
    env = {"SYNTH_HOME": str(tmp_path), "SYNTH_MODELS": str(tmp_path), "SYNTH_MODEL": "sd", "SYNTH_DEVICE": "cpu"}
    return Settings.from_env(env)


def asked(settings: Settings, store: Store) -> Licence:
    with pytest.raises(LicenceNotAccepted) as refused:
        load(settings, store.licence_accepted)
    assert "\n" not in str(refused.value) and isinstance(refused.value, ModelError)
    return refused.value.licence


def test_the_model_draws_after_acceptance_and_not_before(settings: Settings, store: Store) -> None:
    licence = asked(settings, store)
    store.accept_licence(licence, "ada", NOW)
    model = load(settings, store.licence_accepted)
    assert model.card.licence == "openrail"
    order = Order(GenerationRequest(steps=2, note="", model_id="sd"), "ada", "i", None)
    (image,) = generate_batch(model, [order], NOW, lambda step: None)
    assert image.pixels.shape == (256, 256) and np.ptp(image.pixels) > 0


def test_an_acceptance_is_kept_once_with_who_and_when_and_over_a_restart(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    licence = asked(settings, store)
    store.accept_licence(licence, "ada", NOW)
    store.accept_licence(licence, "bob", NOW)
    (event,) = store.events()
    assert (event.at, event.who, event.action, event.subject) == (NOW, "ada", "licence.accepted", licence.digest())
    assert event.detail == {"model": "sd", "revision": revision_of(settings.models / "sd"), "licence": "openrail"}
    again = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
    assert load(settings, again.licence_accepted).card.id == "sd"
    again.close()


def test_the_acceptance_of_one_revision_or_licence_covers_no_other(settings: Settings, store: Store) -> None:
    first = asked(settings, store)
    store.accept_licence(first, "ada", NOW)
    folder = settings.models / "sd"
    weights = next((folder / "unet").glob("*.safetensors"))
    tensors = load_file(weights)
    name = sorted(tensors)[0]
    save_file({**tensors, name: tensors[name] + 1}, weights)
    second = asked(settings, store)
    assert second.revision != first.revision and second.name == first.name
    store.accept_licence(second, "ada", NOW)
    (folder / "README.md").write_text("---\nlicense: proprietary\n---\n")
    assert asked(settings, store) == replace(second, name="proprietary")


def test_the_shipped_model_needs_no_acceptance() -> None:
    assert load(Settings.from_env({"SYNTH_DEVICE": "cpu"})).card.id == "synthread-256"

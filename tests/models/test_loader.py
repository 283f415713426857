import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
import torch

from synth.config import Settings
from synth.errors import LicenceNotAccepted, ModelError, WeightsCorrupt, WeightsMissing
from synth.models.cards import write_card
from synth.models.loader import choose_device, device_name, load
from synth.models.weights import file_hashes
from synth.origins import Licence
from synth.types import ModelCard


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings.from_env({"SYNTH_HOME": str(tmp_path), "SYNTH_MODELS": str(tmp_path)}), device="cpu")


def anybody(licence: Licence) -> bool:
    return True


def test_the_cpu_can_always_be_had() -> None:
    assert choose_device("cpu") == torch.device("cpu")


def test_auto_takes_the_fastest_device_there_is() -> None:
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device("auto") == torch.device(expected)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ModelError, match=r"SYNTH_DEVICE is cuda, but this machine offers .*cpu; set it to auto"):
        choose_device("cuda")


def test_the_cpu_is_named_with_its_threads() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert device_name("cpu") == "CPU, 1 thread"
        torch.set_num_threads(2)
        assert device_name("cpu") == "CPU, 2 threads"
    finally:
        torch.set_num_threads(before)


def test_a_model_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(WeightsMissing, match="There is no model 'nowhere'"):
        load(replace(settings, model_id="nowhere"))


@pytest.fixture
def mini(tmp_path: Path) -> Callable[..., None]:
    """Writes the folder of a model named mini with these files, all of them named by its card."""

    def write(**files: str) -> None:
        folder = tmp_path / "mini"
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.json").write_text(text)
        hashes = file_hashes(folder, [f"{name}.json" for name in files])
        write_card(folder, ModelCard("mini", "Mini", "1", hashes, "CC0", "phantoms", 256, "tests", "all"), "")

    return write


def test_a_damaged_file_stops_before_anything_is_loaded(
    settings: Settings, tmp_path: Path, mini: Callable[..., None]
) -> None:
    mini(config="{}", vocab="[]")
    (tmp_path / "mini" / "config.json").write_text("{ }")
    with pytest.raises(WeightsCorrupt, match=r"The file config\.json of model 'mini' is damaged"):
        load(replace(settings, model_id="mini"))


def test_a_file_that_cannot_be_checked_is_not_read(settings: Settings, mini: Callable[..., None]) -> None:
    mini(vocab="[]")
    with pytest.raises(ModelError, match=r"The card of model 'mini' does not name config\.json"):
        load(replace(settings, model_id="mini"))


@pytest.mark.parametrize("config", ["{}", "[]", "not JSON", '{"codec": {}, "denoiser": {}, "text": {}}'])
def test_files_that_do_not_fit_together_are_one_sentence(
    settings: Settings, mini: Callable[..., None], config: str
) -> None:
    mini(config=config, vocab="[]")
    with pytest.raises(ModelError, match="The files of model 'mini' are whole but do not fit together") as caught:
        load(replace(settings, model_id="mini"))
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_diffusers_format_is_opened_under_its_name(
    settings: Settings, save_checkpoint: Callable[..., Path]
) -> None:
    save_checkpoint(prediction="v_prediction", name="roent")
    model = load(replace(settings, model_id="roent"), anybody)
    assert (model.card.id, model.card.native_px, model.device, model.dtype) == (
        "roent",
        16,
        torch.device("cpu"),
        torch.float32,
    )


def test_a_hub_that_cannot_be_reached_is_one_sentence(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match="The model nobody/nothing could not be fetched from the hub") as caught:
        load(replace(settings, model_id="nobody/nothing"))
    assert "\n" not in str(caught.value)


def test_a_checkpoint_on_disk_needs_no_hub(
    settings: Settings, save_checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    save_checkpoint(name="owner/name")
    assert load(replace(settings, model_id="owner/name"), anybody).card.id == "owner/name"


def test_threads_are_those_of_the_settings(settings: Settings, save_checkpoint: Callable[..., Path]) -> None:
    save_checkpoint(name="sd")
    before = torch.get_num_threads()
    try:
        load(replace(settings, model_id="sd", threads=before + 1), anybody)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_a_part_with_a_nonsense_configuration_is_named(
    settings: Settings, save_checkpoint: Callable[..., Path]
) -> None:
    folder = save_checkpoint(name="sd")
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps({"_class_name": "UNet2DConditionModel", "block_out_channels": "many"}))
    with pytest.raises(ModelError, match="The part unet of the checkpoint sd cannot be opened"):
        load(replace(settings, model_id="sd"), anybody)


def test_without_anybody_to_ask_the_model_of_others_is_refused(
    settings: Settings, save_checkpoint: Callable[..., Path]
) -> None:
    (save_checkpoint(name="sd") / "README.md").write_text("---\nlicense: openrail\n---\n# A model")
    with pytest.raises(LicenceNotAccepted, match="The model sd has the licence 'openrail', which nobody has accepted"):
        load(replace(settings, model_id="sd"))


def test_a_hub_is_asked_for_the_card_first_and_for_the_weights_after_acceptance(
    settings: Settings, save_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_checkpoint(name="snapshots/0123abc")
    (folder / "README.md").write_text("---\nlicense: openrail\n---\n")
    asked = []

    def snapshot(hub_id: str, allow_patterns: list[str]) -> str:
        asked.append(allow_patterns)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    wanted = replace(settings, model_id="owner/net")
    with pytest.raises(LicenceNotAccepted) as refused:
        load(wanted)
    assert asked == [["README.md"]]
    licence = refused.value.licence
    assert (licence.model_id, licence.revision, licence.name) == ("owner/net", "0123abc", "openrail")
    card = load(wanted, {licence}.__contains__).card
    assert (card.licence, card.revision) == ("openrail", "0123abc") and len(asked) == 3

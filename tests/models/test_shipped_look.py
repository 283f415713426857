"""The look of a hospital: a caption may borrow that of another, and a measure may fix it."""

from __future__ import annotations

import torch

from synth.config import Settings
from synth.models.loader import load
from synth.models.shipped import ShippedModel


def test_a_caption_takes_the_look_of_another_and_a_fixed_look_is_that_of_all() -> None:
    model = load(Settings.from_env())
    assert isinstance(model, ShippedModel)
    own = model.encode_text(["chest ct"], 256)
    borrowed = model.encode_text(["chest ct"], 256, ["chest ct, covid 19"])
    assert not torch.equal(own.pooled, borrowed.pooled)
    assert torch.equal(model.of_origin("corona").encode_text(["chest ct"], 256).pooled, borrowed.pooled)
    assert torch.equal(model.encode_text(["chest ct"], 256).pooled, own.pooled)  # the model itself is as it was

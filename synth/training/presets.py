"""Named sizes of one recipe: `cpu` for two cores, `gpu` for 30 minutes of a data-centre card, `tiny` for tests."""

from __future__ import annotations

from dataclasses import dataclass

from synth.models.networks.codec import CodecConfig
from synth.models.networks.denoiser import DenoiserConfig
from synth.models.networks.prior import PriorConfig
from synth.models.networks.text import TextConfig
from synth.training.tasks import Diet

MIX = {"text": 0.50, "hole": 0.15, "simulated": 0.25, "mask": 0.05, "pair": 0.05}
# On two cores holes wait: what text and drawn lesions teach serves every task, as they share the network.
MIX_CPU = {"text": 0.44, "hole": 0.06, "simulated": 0.38, "mask": 0.07, "pair": 0.05}
CODEC = CodecConfig(channels=(64, 96), grain=(1.38, 0.95, 0.65))


@dataclass(frozen=True, slots=True)
class Preset:
    """Everything that differs between machines."""

    device: str
    codec: CodecConfig
    codec_lr: float
    codec_batch: int  # crops of 128 px; a quarter of it at 256 px
    critic_width: int
    denoiser: DenoiserConfig
    text: TextConfig
    lr: float
    batch: int
    ema: float
    compile: bool
    simulated: int  # lesions in the bank
    temperature: tuple[float, float]  # of the noise in use: in the prior's components, outside them
    workers: int  # processes that draw batches ahead; 0: none
    prior_pictures: int  # of each kind, to fit the Gaussian prior
    report_every: int  # steps
    diet: Diet


PRESETS = {
    "gpu": Preset(
        device="cuda",
        codec=CODEC,  # the same on both: with --codec a short loan of a GPU goes to the denoiser alone
        codec_lr=8e-4,
        codec_batch=64,
        critic_width=64,
        denoiser=DenoiserConfig(prior=PriorConfig(components=480)),  # a file under 16 MiB
        text=TextConfig(),
        lr=4e-4,
        batch=256,
        ema=0.999,
        compile=True,
        simulated=24_000,
        temperature=(1.0, 1.0),
        workers=12,
        prior_pictures=12_000,
        report_every=1000,
        diet=Diet(MIX, (0.67, 0.15, 0.18)),
    ),
    "cpu": Preset(
        device="cpu",
        codec=CODEC,
        codec_lr=8e-4,
        codec_batch=16,
        critic_width=32,
        denoiser=DenoiserConfig((96, 160, 224), 1, (False, True, True), patch=2, text_width=192, dropout=0.05),
        text=TextConfig(width=192, layers=2, heads=4, length=40),
        lr=6e-4,
        batch=24,
        ema=0.998,
        compile=False,
        simulated=8_000,
        # Chosen by eye: a short training loses contrast, and leaves noise outside the components.
        temperature=(1.15, 0.8),
        workers=1,
        prior_pictures=5_000,
        report_every=800,
        diet=Diet(MIX_CPU, (0.74, 0.18, 0.08)),
    ),
    "tiny": Preset(
        device="cpu",
        codec=CodecConfig(channels=(16, 16), layers=1, groups=4, grain=(0.5, 0.5, 0.5)),
        codec_lr=1e-3,
        codec_batch=4,
        critic_width=8,
        denoiser=DenoiserConfig(
            (32, 32), 1, (False, True), patch=2, text_width=32, dropout=0.0, prior=PriorConfig(components=4)
        ),
        text=TextConfig(width=32, layers=1, heads=2, length=24),
        lr=1e-3,
        batch=4,
        ema=0.9,
        compile=False,
        simulated=6,
        temperature=(1.0, 1.0),
        workers=0,
        prior_pictures=50,
        report_every=1000,
        diet=Diet(MIX, (0.67, 0.15, 0.18)),
    ),
}

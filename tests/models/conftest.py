import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer


@pytest.fixture
def save_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tiny random Stable-Diffusion-type checkpoint: 16 px, f = 2, 4 latent channels; or one of 256 px."""

    def save(
        prediction: str = "epsilon", name: str = "sd", in_channels: int = 4, text_width: int = 8, usable: bool = False
    ) -> Path:
        longest, side, levels = (77, 32, 4) if usable else (12, 8, 2)
        folder = tmp_path / name
        torch.manual_seed(0)
        parts: dict[str, Any] = {
            "unet": UNet2DConditionModel(
                sample_size=side,
                in_channels=in_channels,
                out_channels=4,
                block_out_channels=(8, 16),
                layers_per_block=1,
                down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
                cross_attention_dim=8,
                attention_head_dim=2,
                norm_num_groups=4,
            ),
            "vae": AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * levels,
                up_block_types=("UpDecoderBlock2D",) * levels,
                block_out_channels=(8,) * levels,
                norm_num_groups=4,
                scaling_factor=0.5,
            ),
            "scheduler": DDPMScheduler(
                beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction
            ),
            "text_encoder": CLIPTextModel(
                CLIPTextConfig(
                    vocab_size=600,
                    hidden_size=text_width,
                    intermediate_size=16,
                    num_hidden_layers=1,
                    num_attention_heads=2,
                    max_position_embeddings=longest,
                )
            ),
            "tokenizer": tokenizer(longest),
        }
        for part, module in parts.items():
            module.save_pretrained(folder / part)
        (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
        return folder

    return save


def tokenizer(longest: int) -> CLIPTokenizer:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    ends = [f"{letter}</w>" for letter in letters]
    vocab = {token: i for i, token in enumerate([*letters, *ends, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=longest)

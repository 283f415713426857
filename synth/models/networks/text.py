"""The text encoder: whole words of a closed vocabulary, a small BERT, token states and their mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

PAD, UNKNOWN = "[pad]", "[unk]"
_WORD = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class TextConfig:
    """Sizes of the text encoder."""

    width: int = 256
    layers: int = 4
    heads: int = 4
    length: int = 48  # words

    def to_json(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)


class Vocabulary:
    """Whole words to numbers. 0 is padding, 1 an unknown word (never produced by our own captions)."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._index = {word: i for i, word in enumerate(self.words)}
        told = [word for word in self.words[2:] if not word.isdigit()]
        self._feature = {word: i for i, word in enumerate(told)}

    @classmethod
    def of(cls, captions: Iterable[str]) -> Vocabulary:
        """All words of `captions` in alphabetical order."""
        words = {word for caption in captions for word in split_words(caption)}
        return cls((PAD, UNKNOWN, *sorted(words)))

    def unknown(self, caption: str) -> list[str]:
        """The words of a caption that the encoder has never seen."""
        return [word for word in split_words(caption) if word not in self._index]

    @property
    def feature_count(self) -> int:
        """Columns of `features`."""
        return len(self._feature) + 2

    def features(self, captions: Sequence[str]) -> Tensor:
        """(B, F) float: 1 for every word that a caption holds, then age / 50 and its square; zeros for ""."""
        table = torch.zeros(len(captions), self.feature_count)
        for row, caption in enumerate(captions):
            for word in split_words(caption):
                if word in self._feature:
                    table[row, self._feature[word]] = 1.0
                elif word.isdigit():
                    table[row, -2], table[row, -1] = int(word) / 50, (int(word) / 50) ** 2
        return table

    def encode(self, captions: Sequence[str], length: int) -> Tensor:
        """(B, length) int64, padded with 0, cut at `length` words."""
        ids = torch.zeros(len(captions), length, dtype=torch.int64)
        for row, caption in enumerate(captions):
            words = [self._index.get(word, 1) for word in split_words(caption)][:length]
            ids[row, : len(words)] = torch.tensor(words, dtype=torch.int64)
        return ids


def split_words(caption: str) -> list[str]:
    """Lower-case words of letters, digits and underscores."""
    return _WORD.findall(caption.lower())


class TextEncoder(nn.Module):
    """(B, L) word numbers to token states (B, L, width), their mask (B, L) bool and their mean (B, width)."""

    def __init__(self, config: TextConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config = config
        self.bert = BertModel(
            BertConfig(
                vocab_size=vocabulary_size,
                hidden_size=config.width,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                intermediate_size=config.width * 4,
                max_position_embeddings=config.length,
                type_vocab_size=1,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
                pad_token_id=0,
            ),
            add_pooling_layer=False,
        )

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States, mask, mean. The first position is always attended to, so an empty caption has a state too."""
        mask = ids != 0
        mask = torch.cat((torch.ones_like(mask[:, :1]), mask[:, 1:]), dim=1)
        states = self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        weight = mask.unsqueeze(-1).to(states.dtype)
        return states, mask, (states * weight).sum(1) / weight.sum(1)

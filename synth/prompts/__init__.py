"""Free text to a structured request and back to words, with a guard against identifiers. Pure: no I/O, no torch."""

from synth.prompts.identifiers import guard
from synth.prompts.reading import ParsedPrompt, named_modality, parse
from synth.prompts.wording import describe, render, render_unasked, to_request, unlearnt

__all__ = [
    "ParsedPrompt", "describe", "guard", "named_modality", "parse", "render", "render_unasked", "to_request", "unlearnt"
]  # fmt: skip

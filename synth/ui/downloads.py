"""Files of one synthetic image: a PNG with its mark burnt in and a DICOM Secondary Capture."""

from __future__ import annotations

import streamlit as st

from synth import imaging, prompts
from synth.dicom.encode import encode
from synth.types import GeneratedImage
from synth.ui.views import INTENDED_USE


def buttons(image: GeneratedImage) -> None:
    """Two buttons. Raises DicomError where the image cannot be a DICOM file."""
    st.download_button(
        "PNG", png(image), f"synthetic-{image.id}.png", "image/png", on_click="ignore", help="Mark burnt in"
    )
    st.download_button(
        "DICOM",
        encode(image, prompts.describe(image.request)),
        f"synthetic-{image.id}.dcm",
        "application/dicom",
        on_click="ignore",
        help="Secondary Capture, Synthetic Data YES",
    )


def png(image: GeneratedImage) -> bytes:
    """The marked image with its provenance in text chunks; the prompt as typed is not in it."""
    made = image.provenance
    description = {
        "Title": image.request.mark,
        "Description": prompts.describe(image.request),
        "Disclaimer": f"{INTENDED_USE}.",
        "Software": f"SynthRead, model {made.model_id} {made.model_revision}",
        "Creation Time": made.created_at.isoformat(),
        "Comment": f"Request {made.request_digest}, seed {made.seed}, sampler {made.sampler}",
        "Source": f"Weights {made.weights_hash}",
    }
    return imaging.png_bytes(imaging.mark(image.pixels, image.request.mark), description)

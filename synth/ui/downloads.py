"""Files of one synthetic image and of the lesion that was drawn for it. Each is made when its button is pressed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, masks, prompts
from synth.dicom.encode import encode, exported
from synth.dicom.presentation import encode_presentation
from synth.dicom.segmentation import encode_segmentation
from synth.types import GeneratedImage
from synth.ui import standing
from synth.ui.views import INTENDED_USE

DICOM = "application/dicom"


def buttons(image: GeneratedImage) -> None:
    """PNG with the mark burnt in, and DICOM; where the image may not leave, why."""
    barred = standing.barred(image)
    st.download_button(
        "PNG",
        partial(_permitted, image, partial(png, image)),
        f"synthetic-{image.id}.png",
        "image/png",
        on_click="ignore",
        help=barred or "Mark burnt in",
        disabled=bool(barred),
    )
    st.download_button(
        "DICOM",
        partial(_permitted, image, partial(encode, image, prompts.describe(image.request))),
        f"synthetic-{image.id}.dcm",
        DICOM,
        on_click="ignore",
        help=barred or "Secondary Capture, Synthetic Data YES",
        disabled=bool(barred) or not exported(image),
    )


def _permitted(image: GeneratedImage, make: Callable[[], bytes]) -> bytes:
    """The file, where the image may still leave when the button is pressed. Raises PolicyError."""
    standing.require_file(image)
    return make()


def mask_buttons(image: GeneratedImage, lesion: npt.NDArray[np.bool_]) -> None:
    """The lesion mask (H, W) as DICOM SEG, as PNG, and its outline as a presentation state of the DICOM file."""
    sentence = prompts.describe(image.request)
    files = (
        (
            "SEG",
            partial(_permitted, image, partial(encode_segmentation, image, lesion, sentence)),
            "lesion",
            "DICOM Segmentation of the DICOM file",
        ),
        (
            "GSPS",
            partial(_permitted, image, partial(presentation, image, lesion)),
            "outline",
            "Its outline over the DICOM file",
        ),
    )
    for label, data, name, told in files:
        st.download_button(
            label,
            data,
            f"{name}-{image.id}.dcm",
            DICOM,
            on_click="ignore",
            help=told,
            disabled=not exported(image),
        )
    st.download_button(
        "Mask",
        partial(_permitted, image, partial(mask_png, image, lesion)),
        f"lesion-{image.id}.png",
        "image/png",
        on_click="ignore",
        help="The drawn pixels as PNG: 255 inside",
    )


def presentation(image: GeneratedImage, lesion: npt.NDArray[np.bool_]) -> bytes:
    """The outline of the mask (H, W) as a presentation state of the DICOM file."""
    return encode_presentation(image, masks.outline(lesion), prompts.describe(image.request))


def mask_png(image: GeneratedImage, lesion: npt.NDArray[np.bool_]) -> bytes:
    """The mask (H, W) as a grey PNG of 0 and 255, which says of itself what it is."""
    text = {"Title": f"Lesion mask of {image.id}", "Disclaimer": f"{INTENDED_USE}.", "SyntheticData": "YES"}
    return imaging.png_bytes(np.uint8(255) * lesion.astype(np.uint8), text)


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

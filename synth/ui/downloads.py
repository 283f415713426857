"""Files of one synthetic image and of the lesion that was drawn for it. Each is made when its button is pressed."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, masks, prompts
from synth.dicom.encode import exported
from synth.dicom.presentation import encode_presentation
from synth.dicom.segmentation import encode_segmentation
from synth.types import GeneratedImage
from synth.ui import resources, session, standing
from synth.ui.views import INTENDED_USE

DICOM = "application/dicom"


def buttons(image: GeneratedImage) -> None:
    """PNG and JPEG with the mark burnt in, DICOM, and its signed manifest; where the image may not leave, why."""
    leaves, who, barred = resources.departures(), session.user(), standing.barred(image)
    kinds = (
        ("PNG", leaves.png, "png", "image/png", "Marked and signed"),
        ("JPEG", leaves.jpeg, "jpg", "image/jpeg", "Marked and signed"),
        ("DICOM", leaves.dicom, "dcm", DICOM, "Secondary Capture, Synthetic Data YES"),
        ("C2PA", leaves.manifest, "dcm.c2pa", "application/c2pa", "Signed manifest, to be kept beside the DICOM file"),
    )
    for label, made, ending, mime, told in kinds:
        st.download_button(
            label,
            standing.permitted(image, partial(made, image, who)),
            f"synthetic-{image.id}.{ending}",
            mime,
            on_click="ignore",
            help=barred or told,
            disabled=bool(barred) or (label in ("DICOM", "C2PA") and not exported(image)),
        )


def mask_buttons(image: GeneratedImage, lesion: npt.NDArray[np.bool_]) -> None:
    """The lesion mask (H, W) as DICOM SEG, as PNG, and its outline as a presentation state of the DICOM file."""
    sentence = prompts.describe(image.request)
    segmentation = partial(encode_segmentation, image, lesion, sentence)
    outline, pixels = partial(presentation, image, lesion), partial(mask_png, image, lesion)
    kinds = (
        ("SEG", segmentation, f"lesion-{image.id}.dcm", DICOM, "DICOM Segmentation of the DICOM file"),
        ("GSPS", outline, f"outline-{image.id}.dcm", DICOM, "Its outline over the DICOM file"),
        ("Mask", pixels, f"lesion-{image.id}.png", "image/png", "The drawn pixels as PNG: 255 inside"),
    )
    barred = standing.barred(image)
    for label, made, name, mime, told in kinds:
        st.download_button(
            label,
            standing.permitted(image, made, label),
            name,
            mime,
            on_click="ignore",
            help=barred or told,
            disabled=bool(barred) or (mime == DICOM and not exported(image)),
        )


def presentation(image: GeneratedImage, lesion: npt.NDArray[np.bool_]) -> bytes:
    """The outline of the mask (H, W) as a presentation state of the DICOM file."""
    return encode_presentation(image, masks.outline(lesion), prompts.describe(image.request))


def mask_png(image: GeneratedImage, lesion: npt.NDArray[np.bool_]) -> bytes:
    """The mask (H, W) as a grey PNG of 0 and 255, which says of itself what it is."""
    text = {"Title": f"Lesion mask of {image.id}", "Disclaimer": f"{INTENDED_USE}.", "SyntheticData": "YES"}
    return imaging.png_bytes(np.uint8(255) * lesion.astype(np.uint8), text)

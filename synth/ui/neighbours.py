"""The real image beside a synthetic one: the nearest by its findings or by its look, to be paged through."""

from __future__ import annotations

import streamlit as st

from synth import imaging
from synth.intake.looks import Alike
from synth.library.match import match
from synth.types import GeneratedImage, RealImage
from synth.ui import compare, hounsfield, resources, views

CHOICES = 6  # real images to page through
LOOKED_THROUGH = 24  # best matches that are tried when files of the library are damaged
FINDINGS, LOOK = "Same findings", "Similar look"
COPYING = "Nearness is also the first sign of copying: compare the two before a picture is used as a new one."


def pane(image: GeneratedImage, in_hu: bool) -> compare.Pane | None:
    """The pane of the chosen real image, its facts below; None after saying why there is none."""
    library, size_px = resources.library(), image.pixels.shape[0]
    ranked, alike = _ranked(image)
    found, passed_over = library.readable(ranked, CHOICES, size_px)
    for sentence in passed_over:
        st.caption(sentence)
    if not found:
        none = f"The library has no real {image.request.modality} image to show beside this one."
        st.caption(library.problem or none)
        return None
    place = st.segmented_control(
        "Nearest first", range(len(found)), default=0, required=True, format_func=lambda i: str(i + 1), key="real"
    )
    real, pixels = found[place or 0]
    st.markdown(views.escaped(sentence_of(real)))
    st.caption(views.escaped(credit(real)))
    if alike is not None:
        _nearness(alike, real)
    if in_hu:
        values = library.hounsfield(real.id, size_px)
        return hounsfield.of_greys(pixels, "REAL") if values is None else hounsfield.pane(values, "REAL")
    return compare.Pane(imaging.to_uint8(imaging.mark(pixels, "REAL")), pixels, "REAL")


def sentence_of(real: RealImage) -> str:
    """What is known of a real image, as "X-ray PA, man, 53 years: pleural effusion"."""
    sex = {"F": "woman", "M": "man"}.get(real.sex or "", "")
    age = "" if real.age is None else f"{real.age} years"
    seen = ", ".join(code.replace("_", " ") for code in real.findings) or "no label"
    modality = {"DX": "X-ray", "": "image"}.get(real.modality, real.modality)
    return ", ".join(part for part in (f"{modality} {real.view or ''}".strip(), sex, age) if part) + f": {seen}"


def credit(real: RealImage) -> str:
    """Where a real image comes from, its licence, and how its publisher wants to be cited."""
    return ". ".join(part.rstrip(".") for part in (real.origin, real.licence, real.attribution) if part)


def _ranked(image: GeneratedImage) -> tuple[list[RealImage], Alike | None]:
    """The best real images, best first, and how near they look where that was asked for."""
    how = st.segmented_control(
        "Real images with", (FINDINGS, LOOK), default=FINDINGS, required=True, key="real_by",
        help="The same condition, view, age and sex, or the nearest by what the reader network sees.",
    )  # fmt: skip
    library = resources.library()
    if how != LOOK:
        return match(library.images, image.request, LOOKED_THROUGH), None
    with st.spinner("Comparing"):
        alike = resources.looks().like_synthetic(image.id, LOOKED_THROUGH)
    there = (library.image(near.id) for near in alike.found)
    return [real for real in there if real is not None], alike


def _nearness(alike: Alike, real: RealImage) -> None:
    """How near the shown image is, and what that may mean of the nearest one."""
    distance = next(near.distance for near in alike.found if near.id == real.id)
    words = f"Distance {distance:.3f} (0 the same, 1 nothing in common), the nearest of {alike.seen}"
    first = alike.found[0].id == real.id
    st.caption(f"{words}." if first else f"{words} is {alike.found[0].distance:.3f}.")
    if first and alike.nearer_than is not None:
        share = f"{100 * alike.nearer_than:.0f} % of real images have no other patient's image as near as this."
        (st.warning if alike.may_be_copy else st.caption)(f"{share} {COPYING}")
    elif first:
        st.caption(f"There are too few real images to say what is usual. {COPYING}")
    if alike.missing:
        st.caption(f"{alike.missing} images of the library were not looked at yet.")

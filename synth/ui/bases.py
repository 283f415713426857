"""The image that is edited: one made here, one of the library or an uploaded file, named in the address."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, prompts
from synth.dicom.decode import decode
from synth.errors import RequestError
from synth.library.folders import shown
from synth.types import GenerationRequest, Modality, RealImage, Sex, View
from synth.ui import resources, viewer

SIZE_PX = 256  # at which the shipped model draws
LATEST = 40  # images of the history to choose from
VIEWS = {Modality.DX: View.PA, Modality.CT: View.AXIAL}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A base image: uint8, (256, 256) or of its own size, its name in the address, its mark, its request."""

    pixels: npt.NDArray[np.uint8]
    address: str
    mark: str
    request: GenerationRequest

    @property
    def origin(self) -> str:
        """What an `Edit` keeps of where it came from: an altered image stays one."""
        return self.address.replace("synthetic:", "altered:") if self.mark == "ALTERED" else self.address


def load(address: str) -> Picture:
    """The picture of an address, fitted to 256 px: see `whole`."""
    picture = whole(address)
    return replace(picture, pixels=_fitted(picture.pixels))


def whole(address: str) -> Picture:
    """The picture of "synthetic:<id>", "real:<id>" or "upload:<sha256>:<modality>" at its own size.

    Raises RequestError where it is none of these, StoreError and DicomError where it cannot be read.
    """
    kind, _, name = address.partition(":")
    if kind == "synthetic":
        image = resources.store().image(name)
        request = replace(image.request, edit=None, note="")
        return Picture(imaging.to_uint8(image.pixels), address, image.request.mark, request)
    if kind == "real":
        real = next((image for image in resources.library().images if image.id == name), None)
        if real is None:
            raise RequestError(f"The library has no image {name!r}.")
        return Picture(resources.library().whole(name), address, "REAL", _request_of(real))
    if kind == "upload" and ":" in name:
        digest, _, modality = name.partition(":")
        known = Modality(modality) if modality in tuple(Modality) else Modality.DX
        pixels = imaging.to_uint8(resources.store().picture(digest))
        return Picture(pixels, address, "ALTERED", GenerationRequest(modality=known, view=VIEWS.get(known)))
    raise RequestError(f"The base image {address[:40]!r} is not known; choose one below.")


def keep(data: bytes, name: str, modality: Modality) -> str:
    """Store the pixels of a file at its own size, and return their address. Raises DicomError."""
    return f"upload:{resources.store().add_picture(shown(decode(data, name)))}:{modality}"


def choose(modalities: tuple[Modality, ...] = tuple(VIEWS)) -> str | None:
    """The three ways to a base image of `modalities`; returns the address of the one that was chosen now."""
    made, library, upload = st.tabs(["Made here", "Real images", "Upload"])
    with made:
        address = _of_history()
    with library:
        address = _of_library(modalities) or address
    with upload:
        return _uploaded(modalities) or address


def _of_history() -> str | None:
    entries = {entry.id: entry for entry in resources.store().history(LATEST)}
    if not entries:
        st.caption("Nothing was made yet; draw an image on the Generate page first.")
        return None
    chosen = st.selectbox(
        "Image",
        entries,
        index=None,
        format_func=lambda name: f"{entries[name].created_at:%H:%M} {prompts.describe(entries[name].request)}",
        key="base_made",
    )
    return f"synthetic:{chosen}" if chosen else None


def _of_library(modalities: tuple[Modality, ...]) -> str | None:
    every = Modality.OTHER in modalities
    images = {image.id: image for image in resources.library().images if every or image.modality in modalities}
    if not images:
        st.caption(resources.library().problem or "The library has no image of these modalities.")
        return None
    chosen = st.selectbox(
        "Image", images, index=None, format_func=lambda name: viewer.real_sentence(images[name]), key="base_real"
    )
    return f"real:{chosen}" if chosen else None


def _uploaded(modalities: tuple[Modality, ...]) -> str | None:
    modality = st.segmented_control(
        "It is a",
        modalities,
        default=Modality.DX,
        required=True,
        format_func=lambda m: "other" if m == Modality.OTHER else str(m),
        key="base_modality",
    )
    file = st.file_uploader("DICOM, PNG or JPEG", type=["dcm", "png", "jpg", "jpeg"], key="base_file")
    st.caption("Only the pixels are kept, on this computer; remove burnt-in names first. Colour becomes grey.")
    return None if file is None else keep(file.getvalue(), file.name, modality or Modality.DX)


def _fitted(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    return imaging.to_uint8(imaging.fit_square(pixels, SIZE_PX))


def _request_of(real: RealImage) -> GenerationRequest:
    modality = Modality(real.modality) if real.modality in tuple(Modality) else Modality.OTHER
    view = View(real.view) if real.view in tuple(View) else VIEWS.get(modality)
    return GenerationRequest(modality=modality, view=view, sex=Sex(real.sex) if real.sex else None, age=real.age)

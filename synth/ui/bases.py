"""The image that is edited: one made here, one of the library or an uploaded file, named in the address."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, prompts
from synth.dicom.decode import Decoded, decode
from synth.errors import DicomError, RequestError
from synth.governance.release import Use
from synth.library.folders import shown
from synth.store.holding_records import Search
from synth.types import GenerationRequest, Modality, RealImage, Sex, View
from synth.ui import chips, neighbours, resources, session, views

SIZE_PX = 256  # at which the shipped model draws
SMALLEST_PX = 32  # shorter sides hold no picture that could be enlarged
COLOUR_MAX = 0.1  # share of coloured pixels: coloured annotations cover less, photographs more
OFFERED = 200  # real images in the list: a browser takes no 50,000
LATEST = 40  # images of the history to choose from
VIEWS = {Modality.DX: View.PA, Modality.CT: View.AXIAL}
NAMES = {Modality.DX: "an X-ray", Modality.CT: "a CT slice"}
# What a DICOM header calls an acquisition, PS3.3 C.7.3.1.1.1; other words, as OT, say nothing.
ACQUIRED = {"DX": Modality.DX, "CR": Modality.DX, "RG": Modality.DX, "CT": Modality.CT}
ELSEWHERE = {
    "MR": "an MRI",
    "PT": "a PET",
    "US": "an ultrasound",
    "MG": "a mammography",
    "XA": "an angiography",
    "NM": "an NM",
}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A base image: uint8, (256, 256) or of its own size, its address, its mark, its request, a note on its size."""

    pixels: npt.NDArray[np.uint8]
    address: str
    mark: str
    request: GenerationRequest
    note: str = ""

    @property
    def origin(self) -> str:
        """What an `Edit` keeps of where it came from: an altered image stays one."""
        return self.address.replace("synthetic:", "altered:") if self.mark == "ALTERED" else self.address


def load(address: str) -> Picture:
    """The picture of an address that is to be edited, fitted to 256 px, with a note where that changed its size.

    Raises RequestError where it shows neither an X-ray nor a CT slice, and what `whole` raises.
    """
    picture = whole(address)
    if picture.request.modality not in VIEWS:
        raise RequestError("Only X-rays and CT slices are edited here; choose one below.")
    return replace(picture, pixels=_fitted(picture.pixels), note=_note_of_size(*picture.pixels.shape))


def whole(address: str) -> Picture:
    """The picture of an address at its own size.

    It is "synthetic:<id>", "real:<id>" or "upload:<sha256>:<modality>", ":HU" after a CT in HU.

    Raises RequestError where it is none of these, PolicyError where it was withdrawn, StoreError and DicomError where
    it cannot be read.
    """
    kind, _, name = address.partition(":")
    if kind == "synthetic":
        image = resources.store().image(name)
        resources.store().validation.release(name).require(Use.PRACTICE)
        request = replace(image.request, edit=None, note="")
        return Picture(imaging.to_uint8(image.pixels), address, image.request.mark, request)
    if kind == "real":
        real = resources.library().image(name)
        if real is None:
            raise RequestError(f"The library has no image {name!r}.")
        library = resources.library()
        request = replace(_request_of(real), lung_window=library.hounsfield(name, SIZE_PX) is not None)
        return Picture(library.whole(name), address, "REAL", request)
    if kind == "upload" and ":" in name:
        digest, modality, unit = [*name.split(":"), ""][:3]
        known = Modality(modality) if modality in tuple(Modality) else Modality.DX
        pixels = imaging.to_uint8(resources.store().picture(digest))
        request = GenerationRequest(modality=known, view=VIEWS.get(known), lung_window=unit == "HU")
        return Picture(pixels, address, "ALTERED", request)
    raise RequestError(f"The base image {address[:40]!r} is not known; choose one below.")


def small(picture: Picture) -> npt.NDArray[np.uint8]:
    """The picture with its mark burnt in."""
    return imaging.to_uint8(imaging.mark(picture.pixels, picture.mark))


def keep(data: bytes, name: str, modality: Modality) -> str:
    """Store the pixels of a file that is to be edited, at its own size, and return their address.

    Raises DicomError where the file cannot be read, is a colour photograph, too small, or of another modality.
    """
    decoded = decode(data, name)
    _check(decoded, name, modality)
    return _kept(decoded, modality)


def keep_any(data: bytes, name: str, modality: Modality) -> str:
    """The same for a file that is to be restored: anything that can be read, colour as grey."""
    return _kept(decode(data, name), modality)


def _kept(decoded: Decoded, modality: Modality) -> str:
    unit = ":HU" if decoded.hounsfield and modality is Modality.CT else ""
    return f"upload:{resources.store().add_picture(shown(decoded))}:{modality}{unit}"


def _check(decoded: Decoded, name: str, modality: Modality) -> None:
    height, width = decoded.pixels.shape
    if decoded.colour > COLOUR_MAX:
        raise DicomError(
            f"{name} is a colour picture ({decoded.colour:.0%} of it); a grey radiograph or slice is needed."
        )
    if min(height, width) < SMALLEST_PX:
        raise DicomError(f"{name} has {width} x {height} pixels; at least {SMALLEST_PX} a side are needed.")
    said = decoded.modality or ""
    if said in ELSEWHERE:
        raise DicomError(f"{name} is {ELSEWHERE[said]} image by its header; X-rays and CT slices are edited here.")
    if ACQUIRED.get(said, modality) != modality:
        raise DicomError(f"{name} is {NAMES[ACQUIRED[said]]} by its header, not {NAMES[modality]}; choose that above.")


def _note_of_size(height: int, width: int) -> str:
    """What is done to a picture of this size in px, empty where nothing is."""
    if height == width == SIZE_PX:
        return ""
    scale = SIZE_PX / max(width, height)
    fitted = f"{max(1, round(width * scale))} x {max(1, round(height * scale))} px"
    word = "Enlarged, no finer than it was:" if scale > 1 else "Fitted:"
    return f"{word} {width} x {height} px to {fitted}."


def choose(modalities: tuple[Modality, ...] = tuple(VIEWS)) -> str | None:
    """The three ways to a base image of `modalities`; the address of the one chosen last, None before any."""
    made, library, upload = st.tabs(["Made here", "Real images", "Upload"])
    addresses: dict[str, str | None] = {}
    with made:
        addresses["made"] = _of_history(modalities)
    with library:
        addresses["real"] = _of_library(modalities)
    with upload:
        addresses["file"] = _uploaded(modalities)
    return addresses.get(st.session_state.get("base_last", ""))


def _last(kind: str) -> None:
    st.session_state["base_last"] = kind


def _of_history(modalities: tuple[Modality, ...]) -> str | None:
    entries = {
        e.id: e for e in resources.store().history(LATEST, user=session.user()) if e.request.modality in modalities
    }
    if not entries:
        st.caption("Nothing was made yet; draw an image on the Generate page first.")
        return None
    chosen = st.selectbox(
        "Image",
        entries,
        index=None,
        format_func=lambda name: f"{entries[name].created_at:%H:%M} {prompts.describe(entries[name].request)}",
        key="base_made",
        on_change=_last,
        args=("made",),
    )
    return f"synthetic:{chosen}" if chosen else None


def _of_library(modalities: tuple[Modality, ...]) -> str | None:
    every = Modality.OTHER in modalities
    library = resources.library()
    if not any(every or image.modality in modalities for image in library.images):
        st.caption(library.problem or "The library has no image of these modalities.")
        return None
    text = ""
    if len(library.images) > OFFERED:
        text = st.text_input("Search", key="base_search", placeholder="finding, origin, note", icon=":material/search:")
    searches = [Search(text=text)] if every else [Search(text=text, modality=modality) for modality in modalities]
    found = [one for search in searches for one in resources.store().holdings.search(search, OFFERED)[1]]
    images = {one.image.id: one.image for one in found}
    chosen = st.selectbox(
        "Image",
        images,
        index=None,
        format_func=lambda name: neighbours.sentence_of(images[name]),
        key="base_real",
        on_change=_last,
        args=("real",),
    )
    return f"real:{chosen}" if chosen else None


def _uploaded(modalities: tuple[Modality, ...]) -> str | None:
    modality = st.segmented_control(
        "It is a",
        modalities,
        default=Modality.DX,
        required=True,
        format_func=lambda modality: chips.MODALITY_NAMES[modality],
        key="base_modality",
        on_change=_last,
        args=("file",),
    )
    file = st.file_uploader(
        "DICOM, PNG or JPEG",
        type=["dcm", "png", "jpg", "jpeg"],
        key="base_file",
        max_upload_size=views.PICTURE_MB,
        on_change=_last,
        args=("file",),
    )
    st.caption("Only the pixels are kept, on this computer; remove burnt-in names first.")
    keeper = keep_any if Modality.OTHER in modalities else keep
    if file is None:
        return None
    known, kept = (file.file_id, modality, Modality.OTHER in modalities), st.session_state.get("base_kept")
    if kept is None or kept[0] != known:  # or every run would decode the file again
        kept = (known, keeper(file.getvalue(), file.name, modality or Modality.DX))
        st.session_state["base_kept"] = kept
    return str(kept[1])


def _fitted(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    return imaging.to_uint8(imaging.fit_square(pixels, SIZE_PX))


def _request_of(real: RealImage) -> GenerationRequest:
    modality = Modality(real.modality) if real.modality in tuple(Modality) else Modality.OTHER
    view = View(real.view) if real.view in tuple(View) else VIEWS.get(modality)
    return GenerationRequest(modality=modality, view=view, sex=Sex(real.sex) if real.sex else None, age=real.age)

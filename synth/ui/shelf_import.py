"""The Import tab: what to bring in, from where, under which rules; below it what became of the imports so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Protocol, cast

import streamlit as st

from synth.errors import RequestError, StoreError
from synth.intake.defaults import Deidentification
from synth.intake.orders import VOLUMES, Order
from synth.ui import deidentify_form, resources, session, shelf_edit, shelf_imports, shelf_place, views

UPLOAD_MB = 1024  # of all files that are chosen at once; a folder on the server has no such limit
NAME_BYTES = 120  # of the end of a file's name, which are kept: file systems take 255
CHUNK = 4 * 2**20  # bytes that are written at a time
WAYS = ("Upload", "Folder on this server")
VOLUME_NAMES = {"CT": "CT", "MR": "MRI", "PT": "PET"}


class Upload(Protocol):
    """What the uploader gives: a name and the bytes."""

    name: str

    def seek(self, offset: int, /) -> int:
        """Go to a place."""

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes from there."""


def show() -> None:
    """The import that the address names above the form and the list of the last ones."""
    if import_id := st.query_params.get("import"):
        shelf_imports.opened(import_id)
        return
    form, last = st.columns([11, 13], gap="large")
    with form, views.show_error():
        _form()
    with last, views.show_error():
        shelf_imports.latest()


def _form() -> None:
    """Not an st.form: an error must leave everything as it was typed."""
    way = st.segmented_control("From", WAYS, default=WAYS[0], required=True, key="import_way")
    files, folder = _uploads() if way == WAYS[0] else [], ""
    if way != WAYS[0]:
        folder = st.text_input(
            "Folder or file", key="import_folder", placeholder="/data/films", persist_state="session",
            help="As this server sees it. DICOM, DICOMDIR, PNG, JPEG, ZIP and NIfTI below it are read.",
        )  # fmt: skip
    origin = st.text_input(
        "Where the images come from", key="import_origin", placeholder="collection or department",
        persist_state="session",
    )  # fmt: skip
    left, right = st.columns(2, gap="small")
    licence = left.selectbox(
        "Licence", shelf_edit.LICENCES, None, key="import_licence", accept_new_options=True,
        placeholder="choose or type", persist_state="session",
    )  # fmt: skip
    attribution = right.text_input(
        "Attribution", key="import_attribution", placeholder="how to cite it", persist_state="session"
    )
    rules, volumes = _rules()
    if st.button("Import", key="import_start", type="primary", icon=":material/download:"):
        source, title, own = _source(way == WAYS[0], files, folder)
        order = Order(
            source, title, origin.strip(), (licence or "").strip(), attribution.strip(), rules.retain,
            rules.burnt_in, rules.refuse_faces, volumes, own,
        )  # fmt: skip
        shelf_place.go(**{"import": resources.importer().begin(order, session.user())})
        st.rerun()


def _uploads() -> list[Upload]:
    files = st.file_uploader(
        "DICOM, DICOMDIR, PNG, JPEG, ZIP or NIfTI",
        accept_multiple_files=True,
        key="import_files",
        max_upload_size=UPLOAD_MB,
        help="Files are de-identified before they are kept; those that were sent are deleted then.",
    )
    return cast("list[Upload]", files or [])


def _rules() -> tuple[Deidentification, str]:
    """The options of de-identification, folded away: the defaults are the careful ones."""
    with st.expander("De-identification", icon=":material/shield_person:"):
        rules = deidentify_form.rules("import")
        volumes = st.segmented_control(
            "NIfTI volumes are", VOLUMES, default="CT", required=True, format_func=VOLUME_NAMES.__getitem__,
            key="import_volumes",
        )  # fmt: skip
    return rules, volumes or "CT"


def _source(uploaded: bool, files: Sequence[Upload], folder: str) -> tuple[Path, str, bool]:
    """(Where the files lie, what people call it, whether it is ours to delete). Raises RequestError without any."""
    if not uploaded:
        if not folder.strip():
            raise RequestError("Name the folder to import, from the root, as in /data/films.")
        path = Path(folder.strip())
        return path, f"folder {path}" if path.is_dir() else str(path), False
    if not files:
        raise RequestError("Choose the files to import first.")
    arriving = resources.importer().arriving()
    for number, file in enumerate(files):
        _write(file, arriving / _name(file.name, number, len(files)))
    return arriving, files[0].name[:80] if len(files) == 1 else f"{len(files)} files", True


def _name(name: str, number: int, count: int) -> str:
    """The name of a file without its folders; of several a number goes first, as browsers send equal names too."""
    plain = PurePath(name.replace("\\", "/")).name
    plain = "".join(char for char in plain if char.isprintable())
    plain = plain.encode()[-NAME_BYTES:].decode(errors="ignore").strip(" .") or "file"
    return plain if count == 1 else f"{number + 1:05d} {plain}"


def _write(file: Upload, path: Path) -> None:
    """Piece by piece. Raises StoreError where the disk takes no more."""
    try:
        file.seek(0)
        with open(path, "xb") as target:
            while chunk := file.read(CHUNK):
                target.write(chunk)
    except OSError as error:
        raise StoreError(f"{file.name} could not be kept: {error.strerror}; free some space and try again.") from error

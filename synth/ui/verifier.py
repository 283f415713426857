"""Dropped files and their verdicts: the answer in plain words, what each layer says, the picture, the audit entry."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from synth import imaging
from synth.errors import RequestError
from synth.governance.roles import Permission
from synth.types import AuditEvent, GeneratedImage
from synth.ui import resources, session, views
from synth.verify import Answer, Proofs, Verdict, examine
from synth.verify.files import MAX_BYTES, SMALLEST_PX

FILES_MAX = 8
BESIDE = ".c2pa"  # ending of a manifest that lies beside its file
SHOWN_PX = 512
EVENTS = 20
LONGEST = 32  # characters of a detail; a digest is known by fewer
ICONS = {
    Answer.OURS: ":material/verified:",
    Answer.ALTERED: ":material/difference:",
    Answer.OTHERS: ":material/label:",
    Answer.NOTHING: ":material/help:",
    Answer.UNREADABLE: ":material/block:",
}


def panel() -> None:
    """The place to drop files, a verdict for each, and the certificate with which others can check ours."""
    st.caption(
        "Drop pictures to see whether they are synthetic and whether they were made here: PNG, JPEG, WebP, TIFF, DICOM "
        "(with its .c2pa manifest, if you have that) or PDF. Nothing that is dropped is kept."
    )
    dropped = st.file_uploader(
        "Files to verify", accept_multiple_files=True, key="verify_files", max_upload_size=MAX_BYTES // 2**20
    )
    manifests = {file.name.removesuffix(BESIDE): file for file in dropped if file.name.endswith(BESIDE)}
    chosen = [file for file in dropped if not file.name.endswith(BESIDE)]
    if len(chosen) > FILES_MAX:
        raise RequestError(f"{len(chosen)} files were dropped; at most {FILES_MAX} are examined at once.")
    if manifests and not chosen:
        st.caption("A manifest proves nothing alone; drop the file with it that it lies beside.")
    for file in chosen:
        with st.container(border=True):
            verdict = _verdict(file, manifests.get(file.name))
            _show(file.name, verdict)
            for image in verdict.images:
                _entry(image, file.file_id, len(chosen) == 1)
    _root()


def _verdict(file: UploadedFile, beside: UploadedFile | None) -> Verdict:
    """Examined once for each dropped file, however often the page runs; what is taken away again is forgotten."""
    name = f"{file.file_id} {beside.file_id if beside else ''}"
    known: dict[str, Verdict] = st.session_state.setdefault("verdicts", {})
    if name not in known:
        leaves = resources.departures()
        with st.spinner("Looking for marks"):
            proofs = Proofs(leaves.marks(), leaves.roots())
            manifest = None if beside is None else beside.getvalue()
            known[name] = examine(file.getvalue(), file.name, proofs, leaves.with_payload, manifest)
        st.session_state["verdicts"] = dict(list(known.items())[-2 * FILES_MAX :])
    return known[name]


def _show(name: str, verdict: Verdict) -> None:
    if verdict.picture is None:
        st.markdown(f"{ICONS[verdict.answer]} **{verdict.answer}**: {views.escaped(verdict.sentence)}")
        return
    picture, told = st.columns([3, 9], gap="medium")
    with picture:
        shown = verdict.picture.shown
        small = imaging.resize(shown, SHOWN_PX) if max(shown.shape) > SHOWN_PX else shown
        st.image(small, width="stretch", alt="The examined picture")
        where = f", {verdict.picture.where}" if verdict.picture.where else ""
        st.caption(f"{views.escaped(name)}{where}: {shown.shape[1]} x {shown.shape[0]} px")
    with told:
        st.markdown(f"#### {ICONS[verdict.answer]} {verdict.answer}")
        st.markdown(views.escaped(verdict.sentence))
        st.table(
            {
                "Layer": [layer.name for layer in verdict.layers],
                "Found": ["yes" if layer.found else "no" for layer in verdict.layers],
                "What it says": [views.escaped(layer.told) for layer in verdict.layers],
            },
            hide_index=True,
        )
        many = f"; this is the strongest answer of {verdict.searched} pictures" if verdict.searched > 1 else ""
        st.caption(f"Examined in {verdict.seconds:.1f} s{many}.")


def _entry(image: GeneratedImage, file: str, shown: bool) -> None:
    """What the audit trail has of an image, for whoever made it and whoever may read the trail."""
    person = session.person()
    if image.provenance.requested_by != person.name and not person.may(Permission.AUDIT):
        st.caption("The audit trail names this image; its maker and those who read the trail see the entry.")
        return
    with st.expander(f"Audit trail of image {views.escaped(image.id)}", expanded=shown):
        events = resources.store().events(EVENTS, subject=image.id)
        st.table(
            {
                "When (UTC)": [f"{event.at:%Y-%m-%d %H:%M:%S}" for event in events],
                "Who": [views.escaped(event.who) for event in events],
                "What": [views.escaped(event.action) for event in events],
                "Detail": [views.escaped(_told(event)) for event in events],
            },
            hide_index=True,
        )
        with st.container(horizontal=True, gap="small"):
            if st.button("Open the image", key=f"verified-{file}-{image.id}"):
                st.switch_page("pages/generate.py", query_params={"image": image.id})
            if person.may(Permission.AUDIT) and st.button("Open in the audit trail", key=f"trail-{file}-{image.id}"):
                st.switch_page("pages/admin.py", query_params={"tab": "audit", "subject": image.id})


def _told(event: AuditEvent) -> str:
    """The details of an event, hashes by their start."""
    short = {
        name: text if len(text := str(value)) <= LONGEST else f"{text[:LONGEST]}..."
        for name, value in event.detail.items()
    }
    return ", ".join(f"{name} {text}" for name, text in short.items())


def _root() -> None:
    with st.expander("For other readers of C2PA"):
        st.caption(
            "Files made here are signed under this installation's own root certificate. A reader that is given it as "
            "a trust anchor calls them trusted; any other calls them valid, by an unknown signer. Pictures below "
            f"{SMALLEST_PX} px a side cannot be searched for the invisible mark."
        )
        roots = resources.departures().roots
        st.download_button("Root certificate", roots, "synthread-root.pem", "application/x-pem-file", on_click="ignore")

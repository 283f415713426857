"""A case set as a ZIP: DICOM files under names that tell nothing, lesions as SEG, and a manifest that tells all."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from synth import prompts
from synth.dicom.encode import encode, exported, uid
from synth.dicom.segmentation import encode_segmentation
from synth.export.tables import csv_bytes
from synth.findings import term
from synth.masks import Area
from synth.reading.cases import CaseSet, Entry
from synth.reading.items import opaque_id
from synth.types import GeneratedImage

NEUTRAL = "Case {} of a set; what it shows stands in the manifest"
FORMAT = "SynthRead case set, version 1"
INTENDED_USE = "Education and research, never diagnosis"
COLUMNS = (
    "number", "kind", "file", "sha256", "sop_instance_uid", "lesion_file", "lesion_sha256", "library_id", "findings",
    "seed", "model_id", "weights_hash", "history", "teaching", "not_exported",
)  # fmt: skip
README = """{title}: {synthetic} synthetic case{many}, made with SynthRead. {use}.

images/     One DICOM Secondary Capture a case, in the order of the set. Each says in its header and on its pixels that
            it is synthetic, and neither its name nor its header tells what is drawn: they can be loaded for reading.
            The files in lesions/ and the manifest do: keep these from whoever is to read the cases.
lesions/    DICOM Segmentations of the drawn lesions, where one was drawn, under the number of their case.
manifest    JSON and the same as CSV: findings, history, teaching point, request with seed, model and hash of its
            weights, SOP instance UID and sha256 of every file.

Real images are not in this file, as each has a licence of its own: the manifest names them by their id in the library.
No image shows a patient. A finding may be wrong, missing or in the wrong place; use none for a decision about anybody.
"""
# The first date that a ZIP can hold: the same set gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """An approved entry with what the store has of it: its image, and the lesion mask (H, W) drawn into that.

    Without an image the case is real, or `problem` says in one sentence why there is none.
    """

    entry: Entry
    image: GeneratedImage | None = None
    lesion: Area | None = None
    problem: str = ""


def case_zip(case_set: CaseSet, cases: Sequence[Drawn]) -> bytes:
    """The ZIP of a set whose approved cases are `cases`, in order; the same set and images give the same bytes.

    An image that DICOM does not take stays out, and the manifest says why. Raises DicomError where a lesion is not of
    its image.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        rows = [_add_case(archive, case_set.id, number, drawn) for number, drawn in enumerate(cases, start=1)]
        about = {"format": FORMAT, "title": case_set.title, "code": case_set.code, "intended_use": INTENDED_USE}
        manifest = json.dumps(about | {"cases": rows}, indent=1, sort_keys=True, ensure_ascii=False)
        _add(archive, "manifest.json", manifest.encode())
        _add(archive, "manifest.csv", csv_bytes(COLUMNS, map(_flat, rows)))
        count = sum(bool(row.get("file")) for row in rows)
        many = "" if count == 1 else "s"
        words = README.format(title=case_set.title, synthetic=count, many=many, use=INTENDED_USE)
        _add(archive, "README.txt", words.encode())
    return buffer.getvalue()


def _add_case(archive: zipfile.ZipFile, set_id: str, number: int, drawn: Drawn) -> dict[str, Any]:
    """Write the files of one case; returns its row of the manifest."""
    entry, image = drawn.entry, drawn.image
    row: dict[str, Any] = {"number": number, "history": entry.history, "teaching": entry.teaching}
    if entry.recipe is None:
        return row | {"kind": "real", "synthetic": False, "library_id": entry.real}
    row |= {"kind": "synthetic", "synthetic": True, "findings": [asdict(found) for found in entry.recipe.findings]}
    row["recipe"] = json.loads(entry.recipe.to_json())
    if image is None:
        return row | {"not_exported": drawn.problem or "Its image is not in the store any more."}
    row |= _made(image)
    if not exported(image):
        return row | {"not_exported": f"Modality {image.request.modality} cannot be exported as DICOM."}
    # Another instance than the image's own file, whose header names the finding: so it has UIDs of its own.
    image, sentence = replace(image, id=opaque_id(set_id, image.id)), prompts.describe(image.request)
    file = f"images/case-{number:03d}.dcm"
    row |= {"file": file, "sop_instance_uid": uid(image.id, "instance")}
    row["sha256"] = _add(archive, file, encode(image, NEUTRAL.format(number)))
    if drawn.lesion is not None and drawn.lesion.any():
        file = f"lesions/case-{number:03d}-seg.dcm"
        digest = _add(archive, file, encode_segmentation(image, drawn.lesion, sentence))
        row["lesion"] = {"file": file, "sha256": digest, "sop_instance_uid": uid(image.id, "segmentation")}
    return row


def _made(image: GeneratedImage) -> dict[str, Any]:
    """How an image was made, enough to make it again."""
    made = image.provenance
    return {
        "image_id": image.id,
        "request": json.loads(image.request.canonical_json()),
        "seed": made.seed,
        "model_id": made.model_id,
        "model_revision": made.model_revision,
        "weights_hash": made.weights_hash,
    }


def _flat(row: dict[str, Any]) -> dict[str, object]:
    """A row of the manifest for the table: findings in words, a normal case as "normal"."""
    lesion = row.get("lesion", {})
    words = "; ".join(term(found["code"]).name for found in row.get("findings", ()))
    named = words or ("normal" if row["synthetic"] else "")
    return row | {"findings": named, "lesion_file": lesion.get("file"), "lesion_sha256": lesion.get("sha256")}


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> str:
    """Write a file; returns the sha256 (hex) of its bytes."""
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(info, data)
    return hashlib.sha256(data).hexdigest()

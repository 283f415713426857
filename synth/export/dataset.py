"""A data set for research as a ZIP: images that are marked, a table of what they are, a data sheet, and all hashes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from synth.export.tables import csv_bytes
from synth.findings import VOCABULARY
from synth.governance.protocols import Protocol
from synth.governance.release import Release
from synth.types import GeneratedImage

COLUMNS = (
    "file", "sha256", "image_id", "mark", "modality", "view", "sex", "age", "findings", "sides", "zones", "severities",
    "edit", "seed", "sampler", "steps", "guidance", "model_id", "model_revision", "weights_hash", "request_digest",
    "created_at", "state", "fit_for", "protocol",
)  # fmt: skip
SHEET = """SynthRead data set, version 1
Education and research, never diagnosis. Every image is synthetic and says so in its pixels and in its header or text.

Protocol      {title}
Reference     {board}
Purpose       {purpose}
Valid         {opened:%Y-%m-%d} to {expires:%Y-%m-%d}
Exported      {at:%Y-%m-%d %H:%M} UTC by {who}

Images        {count}, all validated by radiologists and released by the governance officer on the day of export
{counts}

How it was made
The images were drawn by the model revisions named above from structured requests; no image shows a patient. A finding
of the table is what was asked for and what radiologists found to be there; that of an edit lies where it was drawn.

Limits
An image may be withdrawn later; a copy that has left cannot be called back. Ask whoever exported it.

Licence
{licence}

Files
images/           the images, under names that tell nothing
metadata.csv      one row an image; metadata.parquet holds the same
SHA256SUMS        sha256 of every other file
"""
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can hold: the same images give the same bytes


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the data sheet says beside the counts."""

    protocol: Protocol
    who: str
    at: datetime  # UTC
    licence: str  # of the images, in words


def dataset_zip(
    sheet: Sheet,
    images: Iterable[tuple[GeneratedImage, Release]],
    ending: str,
    encode: Callable[[GeneratedImage], bytes],
) -> bytes:
    """The ZIP of images, each encoded with its mark by `encode` into a file with `ending`, as "dcm".

    The images are taken one after the other, so that all of them need never be in memory.
    """
    buffer, sums = io.BytesIO(), list[str]()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, data: bytes) -> str:
            digest = hashlib.sha256(data).hexdigest()
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
            sums.append(f"{digest}  {name}\n")
            return digest

        rows = []
        for image, release in images:
            file = f"images/{image.id}.{ending}"
            rows.append({"file": file, "sha256": add(file, encode(image))} | row(image, release))
        add("metadata.csv", csv_bytes(COLUMNS, rows))
        add("metadata.parquet", parquet_bytes(rows))
        add("datasheet.txt", datasheet(sheet, rows).encode())
        archive.writestr(zipfile.ZipInfo("SHA256SUMS", _DATE), "".join(sums))
    return buffer.getvalue()


def row(image: GeneratedImage, release: Release) -> dict[str, str]:
    """The row of an image without its file, all as text; what does not apply is empty. Never the prompt as typed."""
    request, made = image.request, image.provenance
    values: dict[str, object] = {
        "image_id": image.id,
        "mark": request.mark,
        "modality": request.modality,
        "view": request.view,
        "sex": request.sex,
        "age": request.age,
        "findings": ";".join(finding.code for finding in request.findings) or "normal",
        "sides": ";".join(finding.side or "" for finding in request.findings),
        "zones": ";".join(finding.zone or "" for finding in request.findings),
        "severities": ";".join(finding.severity or "" for finding in request.findings),
        "edit": request.edit.mode if request.edit else None,
        "seed": made.seed,
        "sampler": made.sampler,
        "steps": request.steps,
        "guidance": request.guidance,
        "model_id": made.model_id,
        "model_revision": made.model_revision,
        "weights_hash": made.weights_hash,
        "request_digest": made.request_digest,
        "created_at": made.created_at.isoformat(),
        "state": release.state,
        "fit_for": ";".join(sorted(release.fit or ())),
        "protocol": release.protocol,
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def parquet_bytes(rows: Sequence[Mapping[str, str]]) -> bytes:
    """The rows as a parquet file; every column is text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: pa.array([one[name] for one in rows], pa.string()) for name in COLUMNS}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def datasheet(sheet: Sheet, rows: Sequence[Mapping[str, str]]) -> str:
    """The data sheet: under which protocol, how many of what, and what the reader must know."""
    protocol = sheet.protocol
    return SHEET.format(
        title=protocol.title.strip(),
        board=protocol.board.strip(),
        purpose=protocol.purpose.strip(),
        opened=protocol.opened_at,
        expires=protocol.expires_at,
        at=sheet.at,
        who=sheet.who,
        count=len(rows),
        counts="\n".join(_counts(rows)),
        licence=sheet.licence,
    )


def _counts(rows: Sequence[Mapping[str, str]]) -> Iterable[str]:
    """One line for each property: "Sex           F 3, M 2, not stated 1"."""
    columns = {"Findings": "findings", "Modality": "modality", "View": "view", "Sex": "sex"}
    for name, column in columns.items():
        counted = Counter(_word(part) for one in rows for part in one[column].split(";"))
        yield f"{name:<14}" + ", ".join(f"{word} {count}" for word, count in sorted(counted.items()))
    ages = Counter("not stated" if not one["age"] else f"{int(one['age']) // 20 * 20:03}" for one in rows)
    words = {age: age if age == "not stated" else f"{int(age)}-{int(age) + 19} years" for age in ages}
    yield f"{'Age':<14}" + ", ".join(f"{words[age]} {count}" for age, count in sorted(ages.items()))
    made = "{model_id} {model_revision}, weights {weights_hash:.16}"
    revisions = Counter(made.format_map(one) for one in rows)
    yield f"{'Revisions':<14}" + "; ".join(f"{word}: {count}" for word, count in sorted(revisions.items()))


def _word(value: str) -> str:
    return VOCABULARY[value].name if value in VOCABULARY else value or "not stated"

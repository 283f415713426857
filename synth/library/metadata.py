"""metadata.csv: one row a file, with the labels that the file itself does not have."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping

from synth.errors import RequestError
from synth.library import labels
from synth.types import RealImage

METADATA = "metadata.csv"


def read_rows(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """The rows by their column `file`; rows without a file are left out. Raises RequestError on what is no such CSV."""
    try:
        reader = csv.DictReader(lines)
        rows = [{key: value or "" for key, value in row.items() if key} for row in reader]
        columns = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"{METADATA} of the library cannot be read as UTF-8 CSV ({error}).") from error
    if "file" not in columns:
        raise RequestError(f"{METADATA} of the library has no column 'file'; its first line must name the columns.")
    return {row["file"]: row for row in rows if row["file"]}


def image_of(row: Mapping[str, str], image_id: str, path: str) -> RealImage:
    """An image with the labels of its row; an empty row gives none."""
    return RealImage(
        id=image_id,
        path=path,
        modality=labels.modality(row.get("modality", "")),
        view=labels.view(row.get("view", "")),
        sex=labels.sex(row.get("sex", "")),
        age=labels.age(row.get("age", "")),
        findings=labels.findings(row.get("findings", "")),
        origin=row.get("origin", "").strip(),
        licence=row.get("licence", "").strip(),
        body_part=row.get("body_part", "").strip().upper(),
        attribution=row.get("attribution", "").strip(),
        note=row.get("note", "").strip(),
    )

"""Domain values to rows and back: pure functions, exact in both directions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from synth.store.tables import ImageRow, JobRow
from synth.types import (
    GeneratedImage,
    GenerationRequest,
    Job,
    JobState,
    Provenance,
    QualityCheck,
    QualityReport,
)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of the history without its pixels. `blob` is the sha256 (hex) of its PNG."""

    id: str
    request: GenerationRequest
    created_at: datetime  # UTC
    requested_by: str
    blob: str


def image_row(image: GeneratedImage, blob: str, pictures: Mapping[str, str]) -> ImageRow:
    """The row of an image whose pixels lie in `blob`; `pictures` are the blobs of its checks' pictures, by check."""
    checks = (replace(check, picture=pictures.get(check.name, check.picture)) for check in image.quality.checks)
    return ImageRow(
        id=image.id,
        created_at=image.provenance.created_at,
        requested_by=image.provenance.requested_by,
        request=image.request.canonical_json(),
        request_digest=image.request.digest(),
        provenance=provenance_json(image.provenance),
        quality=quality_json(QualityReport(tuple(checks))),
        blob=blob,
    )


def stored_image(row: ImageRow) -> StoredImage:
    """The light value of a row."""
    request = GenerationRequest.from_json(row.request)
    return StoredImage(row.id, request, row.created_at, row.requested_by, row.blob)


def provenance_json(provenance: Provenance) -> str:
    """Provenance as JSON; the time in ISO 8601 with its offset."""
    return _json(asdict(provenance) | {"created_at": provenance.created_at.isoformat()})


def provenance(text: str) -> Provenance:
    """Provenance back from `provenance_json`."""
    data: dict[str, Any] = json.loads(text)
    return Provenance(**data | {"created_at": datetime.fromisoformat(data["created_at"])})


def quality_json(quality: QualityReport) -> str:
    """The checks as a JSON list."""
    return _json([asdict(check) for check in quality.checks])


def quality(text: str) -> QualityReport:
    """The report back from `quality_json`."""
    return QualityReport(tuple(QualityCheck(**check) for check in json.loads(text)))


def job(row: JobRow) -> Job:
    """The snapshot of a job as far as the store knows it: no position, no preview."""
    return Job(
        id=row.id,
        request=GenerationRequest.from_json(row.request),
        user=row.user,
        state=JobState(row.state),
        image_id=row.image_id,
        error=row.error,
    )


def _json(value: Mapping[str, Any] | list[Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

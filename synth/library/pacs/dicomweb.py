"""An archive behind DICOMweb (PS3.18): QIDO-RS to search, WADO-RS to fetch, STOW-RS to send."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset

from synth.errors import ArchiveError, Cancelled
from synth.library.pacs.nodes import Node
from synth.library.pacs.receiving import Delivery
from synth.library.pacs.retry import Refused, again
from synth.library.pacs.rows import instance_uid, series_row, study_row
from synth.library.pacs.sending import Parcel, send
from synth.library.pacs.values import (
    ROWS_MAX,
    Known,
    OnInstance,
    OnProgress,
    Query,
    SeriesRow,
    Stopped,
    StudyRow,
    Transfer,
    checked_uid,
    never,
)
from synth.library.pacs.web import WebSession, told

_PAGE = 500  # rows of one answer
_ANY_SYNTAX = (("application/dicom", "*"),)  # as stored: nothing is decompressed on the way
# Orthanc's plug-in 1.7 does not decode %20 and %5E of a query: one letter of any kind (PS3.4 C.2.2.2.4) stands for them
_AS_WILDCARD = str.maketrans({" ": "?", "^": "?"})


class DicomWebArchive:
    """`Archive` over DICOMweb. Keeps no connection between calls; safe to use from several threads."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def echo(self) -> float:
        """Seconds that a search for one study took: DICOMweb has no C-ECHO."""
        started = time.monotonic()
        with self._line(never) as line:
            line.studies(Query(limit=1))
        return time.monotonic() - started

    def find_studies(self, query: Query) -> tuple[StudyRow, ...]:
        """QIDO-RS for studies (PS3.18 section 10.6)."""
        with self._line(never) as line:
            rows = again(lambda: line.studies(query), self._node.retries, never)
        return tuple(row for row in rows if query.matches(row))[: query.limit]

    def find_series(self, study_uid: str) -> tuple[SeriesRow, ...]:
        """QIDO-RS for the series of a study."""
        with self._line(never) as line:
            return again(lambda: line.series(study_uid), self._node.retries, never)

    def retrieve(
        self, study_uid: str, series_uid: str | None, known: Known, on_instance: OnInstance, cancelled: Stopped
    ) -> Transfer:
        """WADO-RS, one instance a request (PS3.18 section 10.4), as stored."""
        retries, reason = self._node.retries, ""
        with self._line(cancelled) as line:
            places = again(lambda: line.places(study_uid, series_uid), retries, cancelled)
            delivery = Delivery(places, known, on_instance, cancelled)
            for uid in delivery.missing:
                if delivery.stopped:
                    break
                try:
                    delivery.take(uid, again(lambda uid=uid: line.get(study_uid, places[uid], uid), retries, cancelled))  # type: ignore[misc]
                except Refused as error:
                    delivery.fail(uid, str(error))
                except (ArchiveError, Cancelled) as error:
                    reason = str(error)
                    break
        return delivery.result(reason)

    def send(self, files: Sequence[bytes], on_progress: OnProgress, cancelled: Stopped) -> Transfer:
        """STOW-RS, one instance a request (PS3.18 section 10.5), so that each has its own answer."""
        with self._line(never) as line:  # a file on its way is finished; `send` stops between files
            return send(self._node, line, files, on_progress, cancelled)

    @contextmanager
    def _line(self, cancelled: Stopped) -> Iterator[_WebLine]:
        with WebSession(self._node, cancelled) as session:
            yield _WebLine(self._node, session)


class _WebLine:
    """One session with the archive; each method is one try."""

    def __init__(self, node: Node, session: WebSession) -> None:
        self._node = node
        with told(node):
            self._client = DICOMwebClient(node.url, session=session, permissive_uid=True, timeout=node.timeout_s)
            self._client.set_http_retry_params(retry=False)  # ours asks first what arrived

    def studies(self, query: Query) -> tuple[StudyRow, ...]:
        asked = {
            "PatientName": query.patient_name,
            "PatientID": query.patient_id,
            "StudyDate": query.dates,
            "ModalitiesInStudy": query.modality,
            "StudyDescription": query.description,
            "AccessionNumber": query.accession,
        }
        filters = {key: value.translate(_AS_WILDCARD) for key, value in asked.items() if value}
        wanted = ["StudyDescription", "ModalitiesInStudy"]
        rows = self._all(
            "StudyInstanceUID",
            lambda **page: self._client.search_for_studies(search_filters=filters, fields=wanted, **page),
            query.limit,
        )
        with told(self._node):
            return tuple(study_row(row) for row in rows)

    def series(self, study_uid: str) -> tuple[SeriesRow, ...]:
        checked_uid(study_uid, "study UID")
        wanted = ["SeriesDescription", "BodyPartExamined", "NumberOfSeriesRelatedInstances"]
        rows = self._below(
            "SeriesInstanceUID", lambda **page: self._client.search_for_series(study_uid, fields=wanted, **page)
        )
        if not rows:
            raise ArchiveError(f"{self._node.name} does not know this study.")
        with told(self._node):
            return tuple(series_row(row, study_uid) for row in rows)

    def places(self, study_uid: str, series_uid: str | None) -> dict[str, str]:
        """Series UID by SOP Instance UID of all that the archive holds of the study, or of one series of it."""
        uids = [series.series_uid for series in self.series(study_uid)]
        if series_uid is not None:
            if series_uid not in uids:
                raise ArchiveError(f"{self._node.name} does not know this series.")
            uids = [series_uid]
        return {uid: series for series in uids for uid in self.instances(study_uid, series)}

    def instances(self, study_uid: str, series_uid: str) -> list[str]:
        """SOP Instance UIDs of one series, none of an unknown one."""
        rows = self._below(
            "SOPInstanceUID", lambda **page: self._client.search_for_instances(study_uid, series_uid, **page)
        )
        return [instance_uid(row) for row in rows]

    def get(self, study_uid: str, series_uid: str, uid: str) -> bytes:
        with told(self._node):
            ds = self._client.retrieve_instance(study_uid, series_uid, uid, media_types=_ANY_SYNTAX)
            if ds.SOPInstanceUID != uid:
                raise Refused(f"{self._node.name} sent another instance than was asked for.")
            buffer = io.BytesIO()
            ds.save_as(buffer)
            return buffer.getvalue()

    def held(self, parcels: Collection[Parcel]) -> set[str]:
        series = {(item.study_uid, item.series_uid) for item in parcels}
        return {uid for study_uid, series_uid in series for uid in self.instances(study_uid, series_uid)}

    def put(self, parcel: Parcel) -> None:
        with told(self._node):
            answer = self._client.store_instances([parcel.dataset()], parcel.study_uid)
            failed: Sequence[Dataset] = answer.get("FailedSOPSequence") or []  # may be there and empty
            if len(failed):
                code = failed[0].get("FailureReason", 0)
                raise Refused(f"{self._node.name} did not store the file (reason {code:04X}h).")
            stored = {str(item.ReferencedSOPInstanceUID) for item in answer.get("ReferencedSOPSequence") or ()}
        if parcel.instance_uid not in stored and parcel.instance_uid not in self.held([parcel]):
            raise Refused(f"{self._node.name} did not confirm that it stored the file.")

    def _all(self, key: str, search: Callable[..., list[Any]], limit: int = ROWS_MAX) -> list[Dataset]:
        """Every row of a search up to a limit, page by page, until a page brings nothing new."""
        rows: dict[str, Dataset] = {}
        while (before := len(rows)) < limit:
            with told(self._node):
                page = [Dataset.from_json(row) for row in search(limit=min(_PAGE, limit - before), offset=before)]
                rows |= {str(row[key].value): row for row in page}
            if len(rows) == before:
                break
        return list(rows.values())[:limit]

    def _below(self, key: str, search: Callable[..., list[Any]]) -> list[Dataset]:
        """As `_all`, for a level below the study: some archives answer 404 where there is nothing."""
        try:
            return self._all(key, search)
        except Refused:
            return []

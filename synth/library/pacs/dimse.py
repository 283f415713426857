"""An archive behind DIMSE (PS3.4 annexes B and C): C-ECHO, C-FIND, C-GET or C-MOVE, C-STORE."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from pydicom import Dataset
from pynetdicom import StoragePresentationContexts
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from synth.errors import ArchiveError, Cancelled
from synth.library.pacs.association import CONTEXTS_MAX, associated, checked, context, echo, offered
from synth.library.pacs.listener import CANNOT_UNDERSTAND, SUCCESS, Listener
from synth.library.pacs.nodes import Node
from synth.library.pacs.receiving import Delivery
from synth.library.pacs.retry import Refused, Unreachable, again, pause
from synth.library.pacs.rows import INSTANCE_KEYS, SERIES_KEYS, STUDY_KEYS, instance_uid, series_row, study_row
from synth.library.pacs.sending import Parcel, send
from synth.library.pacs.syntaxes import COMPRESSED, PLAIN
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

_FIND = StudyRootQueryRetrieveInformationModelFind
_GET = StudyRootQueryRetrieveInformationModelGet
_MOVE = StudyRootQueryRetrieveInformationModelMove
_PENDING, _WARNING, _CANCELLED = (0xFF00, 0xFF01), 0xB000, 0xFE00  # PS3.4 tables C.4-1 and C.4-2
_UNKNOWN_DESTINATION = 0xA801
_LIST_MAX = 100  # SOP Instance UIDs of one request, about 6 KiB
_CLASSES_MAX = (CONTEXTS_MAX - 1) // (1 + len(COMPRESSED))


class DimseArchive:
    """`Archive` over DIMSE. Retrieves by C-GET, or, where the node says so, by C-MOVE to `listener`."""

    def __init__(self, node: Node, listener: Listener | None = None) -> None:
        self._node, self._listener = node, listener

    def echo(self) -> float:
        """Seconds that C-ECHO took, with its association."""
        started = time.monotonic()
        echo(self._node)
        return time.monotonic() - started

    def find_studies(self, query: Query) -> tuple[StudyRow, ...]:
        """C-FIND at the level STUDY."""
        asked = {
            "PatientName": query.patient_name,
            "PatientID": query.patient_id,
            "StudyDate": query.dates,
            "ModalitiesInStudy": query.modality,
            "StudyDescription": query.description,
            "AccessionNumber": query.accession,
        }
        rows = self._find("STUDY", dict.fromkeys(STUDY_KEYS, "") | asked, query.limit)
        return tuple(row for row in map(study_row, rows) if query.matches(row))

    def find_series(self, study_uid: str) -> tuple[SeriesRow, ...]:
        """C-FIND at the level SERIES."""
        keys = dict.fromkeys(SERIES_KEYS, "") | {"StudyInstanceUID": checked_uid(study_uid, "study UID")}
        rows = self._find("SERIES", keys, ROWS_MAX)
        if not rows:
            raise ArchiveError(f"{self._node.name} does not know this study.")
        return tuple(series_row(row, study_uid) for row in rows)

    def retrieve(
        self, study_uid: str, series_uid: str | None, known: Known, on_instance: OnInstance, cancelled: Stopped
    ) -> Transfer:
        """Round by round what is missing, until nothing is or the retries are used up."""
        if self._node.retrieve == "move" and (self._listener is None or not self._listener.running):
            raise ArchiveError(f"{self._node.name} sends by C-MOVE, which needs the listener; add [listener].")
        places = self._places(study_uid, series_uid)
        delivery = Delivery(places, known, on_instance, cancelled)
        reason = f"{self._node.name} did not send the file."
        for attempt in range(self._node.retries + 1):
            try:
                if attempt:
                    pause(attempt - 1, cancelled)
                self._round(study_uid, places, delivery)
            except Unreachable as error:
                reason = str(error)
            except (ArchiveError, Cancelled) as error:
                reason = str(error)
                break
            if not delivery.missing or delivery.stopped:
                break
        return delivery.result(reason)

    def send(self, files: Sequence[bytes], on_progress: OnProgress, cancelled: Stopped) -> Transfer:
        """C-STORE, over one association as long as it holds."""
        with ExitStack() as stack:
            return send(self._node, _DimseLine(self, self._node, stack), files, on_progress, cancelled)

    def instances(self, study_uid: str, series_uid: str) -> dict[str, str]:
        """SOP class by SOP Instance UID of one series, none of an unknown one."""
        keys = dict.fromkeys(INSTANCE_KEYS, "") | {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid}
        rows = self._find("IMAGE", keys, ROWS_MAX)
        return {instance_uid(row): str(row.get("SOPClassUID") or "") for row in rows}

    def _places(self, study_uid: str, series_uid: str | None) -> dict[str, tuple[str, str]]:
        """(series UID, SOP class) by SOP Instance UID."""
        uids = [row.series_uid for row in self.find_series(study_uid)]
        if series_uid is not None:
            if series_uid not in uids:
                raise ArchiveError(f"{self._node.name} does not know this series.")
            uids = [series_uid]
        return {uid: (series, sop) for series in uids for uid, sop in self.instances(study_uid, series).items()}

    def _find(self, level: str, keys: dict[str, str], limit: int) -> list[Dataset]:
        return again(lambda: self._find_once(level, keys, limit), self._node.retries, never)

    def _find_once(self, level: str, keys: dict[str, str], limit: int) -> list[Dataset]:
        query, rows = _identifier(level, keys), []
        with associated(self._node, [context(_FIND)]) as line, offered(self._node, "C-FIND"):
            for status, row in line.send_c_find(query, _FIND):
                code = checked(self._node, status, "C-FIND")
                if code not in _PENDING:
                    if code not in (SUCCESS, _CANCELLED):
                        raise ArchiveError(f"{self._node.name} refused the search (status {code:04X}h).")
                    break
                if row is not None:
                    rows.append(row)
                if len(rows) >= limit:
                    line.abort()  # the polite C-CANCEL may be ignored for all the rest
                    break
        return rows

    def _round(self, study_uid: str, places: dict[str, tuple[str, str]], delivery: Delivery) -> None:
        """Ask once for everything that is missing, series by series."""
        for series_uid in dict.fromkeys(places[uid][0] for uid in delivery.missing):
            missing = [uid for uid in delivery.missing if places[uid][0] == series_uid]
            whole = len(missing) == sum(place[0] == series_uid for place in places.values())
            for start in range(0, len(missing), _LIST_MAX):
                wanted = missing[start : start + _LIST_MAX]
                keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid}
                asked = keys if whole else keys | {"SOPInstanceUID": "\\".join(wanted)}
                query = _identifier("SERIES" if whole else "IMAGE", asked)
                if self._node.retrieve == "move":
                    self._move(query, study_uid, delivery)
                else:
                    self._get(query, {places[uid][1] for uid in missing} - {""}, delivery)
                if whole or delivery.stopped:
                    break
            if delivery.stopped:
                break

    def _get(self, query: Dataset, classes: set[str], delivery: Delivery) -> None:
        """C-GET (PS3.4 C.4.3): the files come back on the same association."""
        contexts = [context(_GET)]
        for sop in sorted(classes)[:_CLASSES_MAX]:
            # a context for each compression, or a file of another one than the accepted could not come
            contexts += [context(sop, *PLAIN), *(context(sop, syntax) for syntax in COMPRESSED)]
        if not classes:  # the archive does not tell them
            usual = StoragePresentationContexts[: CONTEXTS_MAX - 1]
            contexts += [context(item.abstract_syntax, *PLAIN, *COMPRESSED) for item in usual]
        stores = sorted({str(item.abstract_syntax) for item in contexts[1:]})

        def stored(event: Any) -> int:
            data = bytes(event.encoded_dataset())
            return SUCCESS if delivery.take(str(event.request.AffectedSOPInstanceUID), data) else CANNOT_UNDERSTAND

        with associated(self._node, contexts, stored, stores) as line, offered(self._node, "C-GET"):
            self._follow(line, line.send_c_get(query, _GET), "C-GET", delivery)

    def _move(self, query: Dataset, study_uid: str, delivery: Delivery) -> None:
        """C-MOVE (PS3.4 C.4.2): the archive opens an association of its own to our listener."""
        assert self._listener is not None
        with (
            self._listener.diverted(study_uid, delivery.take),
            associated(self._node, [context(_MOVE)]) as line,
            offered(self._node, "C-MOVE"),
        ):
            answers = line.send_c_move(query, self._listener.settings.aet, _MOVE)
            self._follow(line, answers, "C-MOVE", delivery)

    def _follow(self, line: Association, answers: Iterator[tuple[Dataset, Any]], what: str, delivery: Delivery) -> None:
        """Read the answers to the last one. Raises where the request as a whole failed."""
        for status, _ in answers:
            if delivery.stopped:
                line.abort()
                return
            code = checked(self._node, status, what)
            if code == _UNKNOWN_DESTINATION:
                ours = self._listener.settings.aet if self._listener is not None else ""
                raise ArchiveError(f"{self._node.name} does not know where {ours!r} is; its administrator can add it.")
            if code not in (SUCCESS, _WARNING, _CANCELLED, *_PENDING):
                raise Unreachable(f"{self._node.name} ended {what} with status {code:04X}h.")


class _DimseLine:
    """The association of one send: opened at need with a context for every kind of file, opened again when lost."""

    def __init__(self, archive: DimseArchive, node: Node, stack: ExitStack) -> None:
        self._archive, self._node, self._stack = archive, node, stack
        self._open: Association | None = None
        self._kinds: dict[tuple[str, str], None] = {}

    def held(self, parcels: Collection[Parcel]) -> set[str]:
        self._kinds |= dict.fromkeys((item.class_uid, item.syntax) for item in parcels)
        series = {(item.study_uid, item.series_uid) for item in parcels}
        return {uid for place in series for uid in self._archive.instances(*place)}

    def put(self, parcel: Parcel) -> None:
        kind = (parcel.class_uid, parcel.syntax)
        line = self._line(kind)
        try:
            status = checked(self._node, line.send_c_store(parcel.dataset()), "C-STORE")
        except ValueError as error:  # no context for it was accepted
            raise Refused(f"{self._node.name} does not take this kind of DICOM object.") from error
        except RuntimeError as error:  # the line broke between two files
            raise Unreachable(f"{self._node.name} ended the association.") from error
        if status & 0xF000 not in (SUCCESS, _WARNING):
            full = " for want of space" if status & 0xFF00 == 0xA700 else ""
            raise Refused(f"{self._node.name} did not store the file{full} (status {status:04X}h).")

    def _line(self, kind: tuple[str, str]) -> Association:
        if self._open is None or not self._open.is_established:
            kinds = [kind, *(other for other in self._kinds if other != kind)][:CONTEXTS_MAX]
            contexts = [context(sop, *_offers(syntax)) for sop, syntax in kinds]
            self._open = self._stack.enter_context(associated(self._node, contexts))
        return self._open


def _offers(syntax: str) -> tuple[str, ...]:
    """A compressed file travels as it is, an uncompressed one in any plain syntax."""
    return (syntax, *(plain for plain in PLAIN if plain != syntax)) if syntax in PLAIN else (syntax,)


def _identifier(level: str, keys: dict[str, str]) -> Dataset:
    """The identifier of a query (PS3.4 C.4.1.1.3) at one level."""
    ds = Dataset()
    ds.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(ds, keyword, value)
    if not all(value.isascii() for value in keys.values()):
        ds.SpecificCharacterSet = "ISO_IR 192"
    return ds

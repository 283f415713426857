"""A small Storage SCP (PS3.4 annex B): a PACS may send to it; what arrives is handed on, nothing is written here."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification

from synth.errors import ArchiveError, SynthError
from synth.library.pacs.nodes import ListenerSettings
from synth.library.pacs.syntaxes import SYNTAXES

OnFile = Callable[[bytes, str], None]  # a part-10 file, the calling AE title
Diverted = Callable[[str, bytes], bool]  # SOP Instance UID, file: True where it was kept

# PS3.4 table B.2-1
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
_PDU_MAX = 2**17  # of what we read at once; the peer is told to keep to 16 KiB, association requests are larger
_ASSOCIATIONS_MAX = 10
_IDLE_S = 60.0  # silence after which an association is closed


@dataclass(slots=True)
class _Sender:
    """One association: its socket, bytes read since its last file, files so far."""

    socket: Any
    received: int = 0
    files: int = 0


class Listener:
    """Listens from `start` to `stop`. `on_file` is called from threads, several at once: one for every association.

    An OSError of `on_file` for a full disk answers A700h, any other error C000h, so that the sender keeps its file.
    """

    def __init__(self, settings: ListenerSettings, on_file: OnFile) -> None:
        self.settings = settings
        self._on_file, self._lock = on_file, Lock()
        self._server: Any = None
        self._diverted: dict[str, Diverted] = {}
        self._senders: dict[int, _Sender] = {}
        self._last_error = ""

    @property
    def running(self) -> bool:
        """True between `start` and `stop`."""
        return self._server is not None

    @property
    def port(self) -> int:
        """The port that it listens on; where the settings say 0 the system chose it."""
        return int(self._server.server_address[1]) if self._server is not None else self.settings.port

    @property
    def last_error(self) -> str:
        """Why the last file was not taken, for the screen; empty where all were."""
        return self._last_error

    def start(self) -> None:
        """Listen. Raises ArchiveError where the port is taken or the host is not one of this machine."""
        entity = AE(ae_title=self.settings.aet)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self.settings.allowed)
        entity.maximum_associations = _ASSOCIATIONS_MAX
        entity.network_timeout = entity.acse_timeout = entity.dimse_timeout = _IDLE_S
        entity.add_supported_context(Verification)
        for storage in AllStoragePresentationContexts:
            entity.add_supported_context(storage.abstract_syntax, list(SYNTAXES))
        handlers = [
            (evt.EVT_CONN_OPEN, self._opened),
            (evt.EVT_C_STORE, self._stored),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]
        try:
            address = (self.settings.host, self.settings.port)
            self._server = entity.start_server(address, block=False, evt_handlers=handlers)
        except OSError as error:
            where = f"{self.settings.host}:{self.settings.port}"
            raise ArchiveError(f"The listener cannot use {where}: {error.strerror or error}.") from error

    def stop(self) -> None:
        """Close the port and end the associations; what is not confirmed by then stays with its sender."""
        if self._server is not None:
            self._server.shutdown()
            self._server.ae.shutdown()
            self._server = None

    @contextmanager
    def diverted(self, study_uid: str, taker: Diverted) -> Iterator[None]:
        """While open, files of this study go to `taker`: they were asked for by C-MOVE."""
        with self._lock:
            if study_uid in self._diverted:
                raise ArchiveError("This study is being fetched already; wait until it is here.")
            self._diverted[study_uid] = taker
        try:
            yield
        finally:
            with self._lock:
                del self._diverted[study_uid]

    def _opened(self, event: Any) -> None:
        """Watch what this association sends before it lies in memory, and break the line where it is too much."""
        line = event.assoc.dul.socket
        sender, receive = _Sender(line.socket), line.recv
        with self._lock:
            self._senders[id(event.assoc)] = sender

        def bounded(count: int) -> bytearray:
            sender.received += count
            if count > _PDU_MAX or sender.received > self.settings.max_bytes + _PDU_MAX:
                self._last_error = f"A file was larger than {self.settings.max_bytes} bytes; its sender was cut off."
                raise OSError(errno.EMSGSIZE, "too large")
            data: bytearray = receive(count)
            return data

        line.recv = bounded

    def _closed(self, event: Any) -> None:
        with self._lock:
            sender = self._senders.pop(id(event.assoc), None)
        if sender is not None:
            sender.socket.close()  # pynetdicom leaves it open where the line was cut by us

    def _stored(self, event: Any) -> int:
        """Answer one C-STORE with its status."""
        sender = self._senders[id(event.assoc)]
        sender.received, sender.files = 0, sender.files + 1
        if sender.files > self.settings.max_files:
            self._last_error = f"More than {self.settings.max_files} files came on one association."
            return OUT_OF_RESOURCES
        try:
            data = bytes(event.encoded_dataset())
            taker = self._taker(event)
            if taker is not None:
                return SUCCESS if taker(str(event.request.AffectedSOPInstanceUID), data) else CANNOT_UNDERSTAND
            self._on_file(data, event.assoc.requestor.ae_title.strip())
        except Exception as error:  # the sender must learn of it, whatever it was; so must the screen
            self._last_error = str(error) if isinstance(error, SynthError) else f"A file was not kept: {error!r}."
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            return OUT_OF_RESOURCES if full else CANNOT_UNDERSTAND
        return SUCCESS

    def _taker(self, event: Any) -> Diverted | None:
        """Who asked for the study of this file, None where it came of itself."""
        with self._lock:
            if not self._diverted:
                return None
            takers = dict(self._diverted)
        return takers.get(str(event.dataset.get("StudyInstanceUID", "")))

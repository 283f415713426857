"""Chosen series of the open collections, from their public bucket into a folder: whole files or none, resumable."""

from __future__ import annotations

import errno
import hashlib
import logging
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from synth.errors import CollectionError, StoreError
from synth.library.collections import Series

CHUNK = 2 * 2**20  # bytes a request: a cancel waits for no more than this
AT_ONCE = 4  # files: a slice of 0.5 MB is fetched faster than it is asked for
TRIES = 4
FIRST_WAIT_S = 0.5  # before the second try, doubled before each further one
TIMEOUTS_S = {"connect_timeout": 10, "read_timeout": 60}
_MD5 = re.compile(r"[0-9a-f]{32}")  # the ETag of an object that was stored in one part
_PLAIN = re.compile(r"[\w-][\w.-]*")  # names come from a server: none may lead out of the folder
_FULL = (errno.ENOSPC, errno.EDQUOT)
log = logging.getLogger(__name__)
Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is. `files` and `size_bytes` are whole; `arriving` are bytes of files that are not yet."""

    files: int
    of_files: int
    size_bytes: int
    of_bytes: int
    failed: int = 0
    arriving: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file that has arrived at `path`, or why it has not: exactly one of `path` and `error` is given.

    `key` is "<bucket>/<folder>/<instance>.dcm": what to keep as done. It is that of the folder when a series failed.
    """

    series: Series
    key: str
    path: Path | None = None
    size_bytes: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Object:
    series: Series
    key: str
    size_bytes: int
    md5: str | None


class _Stopped(Exception):
    """The transfer was cancelled; never leaves this module."""


class Download:
    """One transfer into `place`. `progress` and `cancel` may be used from any thread while another iterates `files`."""

    def __init__(self, series: Sequence[Series], place: Path, endpoint_url: str | None = None) -> None:
        """`endpoint_url` is another S3 server than Amazon's: a mirror, or one for tests."""
        self._series = tuple(series)
        self._place = place
        self._endpoint_url = endpoint_url
        self._bucket: Any = None  # opened by `files`: it takes a moment to import
        self._over = threading.Event()
        self._counting = threading.Lock()
        self._progress = Progress(0, sum(s.instances for s in series), 0, sum(s.size_bytes for s in series))

    @property
    def progress(self) -> Progress:
        """How far it is at this moment."""
        return self._progress

    def cancel(self) -> None:
        """Stop within one chunk: nothing half remains, what has arrived stays."""
        self._over.set()

    def files(self, done: Collection[str] = ()) -> Iterator[Fetched]:
        """Transfer every file whose key is not in `done`, a few at once; yields each as it ends, in the bucket's order.

        A file that fails is yielded with its reason and the rest goes on. It ends early after `cancel`; to go on, make
        a new Download. Raises StoreError when the disk is too small or full, CollectionError when the bucket cannot be
        reached.
        """
        self._check_room(done)
        self._bucket = _bucket(self._endpoint_url)
        waiting: deque[Future[Fetched | None]] = deque()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="download") as pool:
            try:
                for found in self._objects(done):
                    if isinstance(found, Fetched):
                        yield self._counted(found)
                        continue
                    waiting.append(pool.submit(self._fetch, found))
                    while len(waiting) >= 2 * AT_ONCE or (waiting and waiting[0].done()):
                        yield from self._arrived(waiting.popleft())
                while waiting:
                    yield from self._arrived(waiting.popleft())
            finally:  # also when the disk is full, or the caller stops iterating
                self._over.set()

    def _arrived(self, future: Future[Fetched | None]) -> Iterator[Fetched]:
        fetched = future.result()
        if fetched is not None:
            yield self._counted(fetched)

    def _objects(self, done: Collection[str]) -> Iterator[_Object | Fetched]:
        """The objects of all series that are still to be fetched, and series that cannot be listed or lack files."""
        for series in self._series:
            folder = f"{series.bucket}/{series.folder}"
            try:
                listed = self._patiently(partial(self._bucket.ls, folder, detail=True, refresh=True))
            except _Stopped:
                return
            except OSError as error:
                yield Fetched(series, folder, error=f"The series {series.uid} could not be listed: {_said(error)}.")
                continue
            objects = [_object(series, entry) for entry in listed if entry["type"] == "file"]
            if (lacking := series.instances - len(objects)) > 0:
                yield Fetched(series, folder, error=f"The bucket lacks {lacking} files of the series {series.uid}.")
            known = [found for found in objects if found.key in done]
            self._add(files=len(known), size_bytes=sum(found.size_bytes for found in known))
            yield from (found for found in objects if found.key not in done)

    def _fetch(self, wanted: _Object) -> Fetched | None:
        """One file, in a thread of its own; None when it was stopped. Raises StoreError, CollectionError."""
        name = PurePosixPath(wanted.key).name
        if not all(_PLAIN.fullmatch(part) for part in (wanted.series.folder, name)):
            return Fetched(wanted.series, wanted.key, error=f"{wanted.key!r} is not the name of a file.")
        path = self._place / wanted.series.folder / name
        part = path.with_name(f"{name}.part")
        try:
            if not _is_whole(path, wanted):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._patiently(partial(self._receive, wanted, part))
                part.replace(path)
        except _Stopped:
            return None
        except OSError as error:
            if error.errno in _FULL:
                raise StoreError(
                    f"The disk of {self._place} is full; free some space and start again: what has arrived stays."
                ) from error
            return Fetched(wanted.series, wanted.key, error=f"{wanted.key} could not be fetched: {_said(error)}.")
        finally:
            part.unlink(missing_ok=True)
        return Fetched(wanted.series, wanted.key, path, wanted.size_bytes)

    def _receive(self, wanted: _Object, part: Path) -> None:
        """Write the object to `part`, chunk by chunk. Raises OSError where what arrives is not what was listed."""
        digest, received = hashlib.md5(usedforsecurity=False), 0
        try:
            with part.open("wb") as file:
                while received < wanted.size_bytes:
                    self._check_stop()
                    end = min(received + CHUNK, wanted.size_bytes)
                    chunk = self._bucket.cat_file(wanted.key, start=received, end=end)
                    if len(chunk) != end - received:
                        raise OSError(f"{len(chunk)} of {end - received} bytes arrived")
                    file.write(chunk)
                    digest.update(chunk)
                    received = end
                    self._add(arriving=len(chunk))
            if wanted.md5 and digest.hexdigest() != wanted.md5:
                raise OSError("what arrived is damaged (its MD5 is another)")
        finally:
            self._add(arriving=-received)

    def _patiently(self, ask: Callable[[], Got]) -> Got:
        """Ask up to four times with growing pauses; what will not change is asked once.

        Raises OSError for a server that refuses, CollectionError for one that cannot be reached.
        """
        from botocore.exceptions import BotoCoreError
        from botocore.exceptions import ConnectionError as Unreachable
        from s3fs.core import S3_RETRYABLE_ERRORS

        for tried in range(1, TRIES + 1):
            self._check_stop()
            try:
                return ask()
            except (FileNotFoundError, PermissionError):
                raise
            except (OSError, BotoCoreError, *S3_RETRYABLE_ERRORS) as error:
                if getattr(error, "errno", None) in _FULL:
                    raise
                failure = error
            log.info("try %d of %d: %s", tried, TRIES, failure)
            if tried < TRIES:
                self._over.wait(FIRST_WAIT_S * 2 ** (tried - 1))
        if isinstance(failure, Unreachable):
            raise CollectionError(
                "The bucket of the open collections cannot be reached; check the connection to the internet."
            ) from failure
        raise OSError(_said(failure)) from failure

    def _check_stop(self) -> None:
        if self._over.is_set():
            raise _Stopped

    def _check_room(self, done: Collection[str]) -> None:
        """Refuse at once what cannot fit; with some of it done only the running transfer can tell."""
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            here = [path for series in self._series for path in (self._place / series.folder).glob("*")]
            present, free = sum(path.stat().st_size for path in here), shutil.disk_usage(self._place).free
        except OSError as error:
            raise StoreError(f"Nothing can be written to {self._place}: {error.strerror}.") from error
        if not done and self._progress.of_bytes - present > free:
            need = f"{self._progress.of_bytes / 1e9:.1f} GB are wanted and {free / 1e9:.1f} GB are free"
            raise StoreError(f"The disk of {self._place} is too small: {need}; choose fewer series.")

    def _counted(self, fetched: Fetched) -> Fetched:
        whole = fetched.path is not None
        self._add(files=int(whole), size_bytes=fetched.size_bytes, failed=int(not whole))
        return fetched

    def _add(self, **more: int) -> None:
        with self._counting:
            now = self._progress
            self._progress = replace(now, **{name: getattr(now, name) + value for name, value in more.items()})


def _bucket(endpoint_url: str | None) -> Any:
    """The public buckets, without an account. The tries are ours, so that a cancel need not wait for them."""
    from s3fs import S3FileSystem

    bucket = S3FileSystem(
        anon=True,
        endpoint_url=endpoint_url,
        config_kwargs={**TIMEOUTS_S, "retries": {"total_max_attempts": 1}},
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    bucket.retries = 1
    return bucket


def _object(series: Series, entry: dict[str, Any]) -> _Object:
    etag = str(entry.get("ETag", "")).strip('"')
    return _Object(series, str(entry["name"]), int(entry["size"]), etag if _MD5.fullmatch(etag) else None)


def _is_whole(path: Path, wanted: _Object) -> bool:
    """A file under its final name was checked when it was renamed; here only its size is."""
    return path.is_file() and path.stat().st_size == wanted.size_bytes


def _said(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__

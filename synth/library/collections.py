"""The open collections of the NCI Imaging Data Commons: searched offline in the index that idc-index brings along.

The index is one parquet file with a row a series (https://github.com/ImagingDataCommons/idc-index-data). What is asked
often is kept as numbers, the rest is read where it lies: `idc_index.IDCClient` would take all of it into memory.
"""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from synth.errors import CollectionError

SERIES_INDEX, TITLES_INDEX = "idc_index.parquet", "collections_index.parquet"
CC_BY = ("CC BY 3.0", "CC BY 4.0")  # use, also commercial, for naming the source
MEMORY = "400MB"  # twice what is taken: more is an error, not a full machine
MB = 1e6  # bytes: series_size_MB is decimal
# Fedorov et al. 2023: what the IDC asks to be cited beside the collection (portal.imaging.datacommons.cancer.gov)
IDC = "NCI Imaging Data Commons, Fedorov et al., RadioGraphics 2023;43(12):e230180, https://doi.org/10.1148/rg.230180"
_CC = re.compile(r"CC (BY(?:-NC)?(?:-SA|-ND)?) (\d\.\d)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; an empty field does not restrict. `text`: words, all of which must occur, in any case."""

    collections: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    text: str = ""
    series: tuple[str, ...] = ()  # Series Instance UIDs


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is of what is wanted, before anything is transferred."""

    patients: int
    studies: int
    series: int
    instances: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection, as far as it is wanted: `amount` counts only series that fit."""

    id: str
    title: str
    description: str
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    licences: tuple[str, ...]
    amount: Amount


@dataclass(frozen=True, slots=True)
class Series:
    """One DICOM series and where its files lie: objects "<folder>/<instance>.dcm" in a public S3 bucket."""

    uid: str
    collection: str
    patient: str  # pseudonym within the collection
    study_uid: str
    modality: str
    body_part: str
    description: str
    licence: str
    doi: str
    instances: int
    size_bytes: int
    bucket: str
    folder: str
    title: str  # of the collection
    release: str  # of the index

    @property
    def attribution(self) -> str:
        """One line to keep with every image: source, licence, where it was got."""
        source = f"{self.title} (https://doi.org/{self.doi})" if self.doi else self.title
        return f"{source}, {licence_line(self.licence)}; series {self.uid}; {IDC}, release {self.release}"


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be filtered by, the most frequent first: name and number of series."""

    modalities: tuple[tuple[str, int], ...]
    body_parts: tuple[tuple[str, int], ...]
    licences: tuple[tuple[str, int], ...]


class Collections:
    """The index, opened at the first question (2 s, later ones take less than 0.3 s). Safe to share between threads.

    Every question may raise CollectionError, when the index is not installed or cannot be read.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` holds the parquet files; without one it is that of the installed index."""
        self._folder = folder
        self._asking = threading.Lock()  # one question at a time: several at once would take their memory together
        self._opened: Any = None

    @cached_property
    def release(self) -> str:
        """The release of the IDC that is listed, as "v25"."""
        return f"v{version('idc-index-data').split('.')[0]}"

    @cached_property
    def choices(self) -> Choices:
        """What the filters of a form can offer."""
        return Choices(*(self._counted(column) for column in _KINDS))

    def collections(self, wanted: Wanted | None = None) -> list[Collection]:
        """Collections with at least one series that is wanted, by title."""
        where, values = _where(wanted or Wanted())
        amounts = self._ask(f"SELECT collection_id, {_AMOUNT} {_FROM} {where} GROUP BY 1", values)
        used = f"SELECT DISTINCT kind {_FROM} {where}"
        kinds = self._ask(f"SELECT collection_id, {', '.join(_KINDS)} FROM kinds WHERE kind IN ({used})", values)
        found = []
        for name, *numbers in amounts:
            modalities, parts, licences = (
                tuple(sorted({kind[column] for kind in kinds if kind[0] == name and kind[column]}))
                for column in (1, 2, 3)
            )
            found.append(Collection(name, *self._titles[name], modalities, parts, licences, Amount(*numbers)))
        return sorted(found, key=lambda collection: (collection.title.lower(), collection.id))

    def amount(self, wanted: Wanted) -> Amount:
        """Patients, files and bytes of what is wanted."""
        where, values = _where(wanted)
        return Amount(*self._ask(f"SELECT {_AMOUNT} {_FROM} {where}", values)[0])

    def series(self, wanted: Wanted, limit: int, offset: int = 0) -> list[Series]:
        """Series that are wanted, those of a patient together; the order is that of the index."""
        where, values = _where(wanted)
        page = f"SELECT row {_FROM} {where} ORDER BY collection_id, patient, row LIMIT ? OFFSET ?"
        rows = [row for (row,) in self._ask(page, [*values, limit, offset])]
        if not rows:
            return []
        titles = self._titles
        # Our own whole numbers, written out: with a parameter every row of the file is unpacked, ten times slower.
        chosen = f"file_row_number IN ({', '.join(map(str, rows))})"
        found = self._ask(f"SELECT file_row_number, {_SERIES} FROM {self._file(SERIES_INDEX)} WHERE {chosen}", [])
        by_row = {row[0]: row[1:] for row in found}
        return [Series(*(*by_row[row], titles[by_row[row][1]][0], self.release)) for row in rows]

    @cached_property
    def _titles(self) -> dict[str, tuple[str, str]]:
        """Collection id to its title and what it is about."""
        rows = self._ask("SELECT collection_id, title, about FROM collections", [])
        return {name: (title, " ".join(about.split())) for name, title, about in rows}

    def _counted(self, column: str) -> tuple[tuple[str, int], ...]:
        rows = self._ask(
            f"SELECT {column}, count(*) AS n {_FROM} WHERE {column} <> '' GROUP BY 1 ORDER BY n DESC, 1", []
        )
        return tuple((name, count) for name, count in rows)

    def _ask(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        import duckdb

        try:
            with self._asking:
                self._opened = self._opened or self._open()
                rows: list[tuple[Any, ...]] = self._opened.execute(query, values).fetchall()
        except (duckdb.Error, OSError) as error:
            reason = str(error).strip().split("\n")[0].rstrip(".")
            raise CollectionError(f"The index of the open collections cannot be read ({reason}).") from error
        return rows

    def _open(self) -> Any:
        """A database in memory: numbers and codes of every series, 30 bytes each. Nothing is written or fetched."""
        import duckdb

        database = duckdb.connect(":memory:", config=_CONFIG)
        for statement in _TABLES:
            database.execute(statement.format(index=self._file(SERIES_INDEX), titles=self._file(TITLES_INDEX)))
        return database

    def _file(self, name: str) -> str:
        path = str((self._folder or _installed()) / name).replace("'", "''")
        return f"read_parquet('{path}', file_row_number = true)"


_CONFIG: dict[str, str | int | float | bool | list[str]] = {
    "memory_limit": MEMORY,
    "threads": 2,
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_file_cache": False,
}
_BYTES = f"CAST(round(coalesce(series_size_MB, 0) * {MB:.0f}) AS BIGINT)"
_SAID = "lower(concat_ws(' ', StudyDescription, SeriesDescription, BodyPartExamined))"
_KINDS = ("Modality", "BodyPartExamined", "license_short_name")
_KIND = ", ".join(f"coalesce({column}, '') AS {column}" for column in ("collection_id", *_KINDS))
_TABLES = (  # a million series are of a thousand kinds and have 140,000 descriptions: each is kept once
    f"CREATE TABLE kinds AS SELECT row_number() OVER () AS kind, * FROM (SELECT DISTINCT {_KIND} FROM {{index}})",
    f"""CREATE TABLE said AS SELECT row_number() OVER () AS said, text
    FROM (SELECT DISTINCT {_SAID} AS text FROM {{index}})""",
    f"""CREATE TABLE series AS SELECT CAST(kind AS INT) AS kind, CAST(said AS INT) AS said, patient, study, uid,
    CAST(instances AS INT) AS instances, bytes, CAST(row AS INT) AS row FROM (SELECT {_KIND}, {_SAID} AS text,
    hash(collection_id, PatientID) AS patient, hash(StudyInstanceUID) AS study, hash(SeriesInstanceUID) AS uid,
    instanceCount AS instances, {_BYTES} AS bytes, file_row_number AS row FROM {{index}})
    JOIN said USING (text) JOIN kinds USING (collection_id, {", ".join(_KINDS)})""",
    """CREATE TABLE collections AS SELECT k.collection_id, coalesce(c.collection_name, k.collection_id) AS title,
    coalesce(c.description, '') AS about FROM (SELECT DISTINCT collection_id FROM kinds) k
    LEFT JOIN {titles} c USING (collection_id)""",
)
_FROM = "FROM series JOIN kinds USING (kind)"
_AMOUNT = """count(DISTINCT patient), count(DISTINCT study), count(*),
CAST(coalesce(sum(instances), 0) AS BIGINT), CAST(coalesce(sum(bytes), 0) AS BIGINT)"""
_SERIES = f"""SeriesInstanceUID, collection_id, coalesce(PatientID, ''), StudyInstanceUID, coalesce(Modality, ''),
coalesce(BodyPartExamined, ''), coalesce(SeriesDescription, ''), coalesce(license_short_name, ''),
coalesce(source_DOI, ''), instanceCount, {_BYTES}, aws_bucket, crdc_series_uuid"""
_CHOSEN = {
    "collections": "collection_id IN ({})",
    "modalities": "Modality IN ({})",
    "body_parts": "BodyPartExamined IN ({})",
    "licences": "license_short_name IN ({})",
    "series": "uid IN (SELECT hash(unnest([{}])))",
}
_WORD = """(said IN (SELECT said FROM said WHERE contains(text, ?)) OR collection_id IN
(SELECT collection_id FROM collections WHERE contains(lower(concat_ws(' ', collection_id, title, about)), ?)))"""


def licence_line(name: str) -> str:
    """The licence with its address where it is a Creative Commons one: they ask for it."""
    found = _CC.fullmatch(name)
    if not name:
        return "licence unknown"
    return f"{name} (https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/)" if found else name


def _where(wanted: Wanted) -> tuple[str, list[Any]]:
    """The WHERE clause and its values."""
    parts, values = [], []
    for name, clause in _CHOSEN.items():
        if chosen := getattr(wanted, name):
            parts.append(clause.format(", ".join("?" * len(chosen))))
            values.extend(chosen)
    for word in wanted.text.lower().split():
        parts.append(_WORD)
        values.extend((word, word))
    return f"WHERE {' AND '.join(parts)}" if parts else "", values


def _installed() -> Path:
    """The folder of the installed index. It is not imported: that reads more files than are needed."""
    found = importlib.util.find_spec("idc_index_data")
    if found is None or found.origin is None:
        raise CollectionError("The index of the open collections is not installed; pip install idc-index brings it.")
    return Path(found.origin).parent

"""Tables as CSV that a spreadsheet opens as text: no cell of it is ever run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

# What a spreadsheet takes for a formula (OWASP, CSV injection). A negative number would be marked too: keep it out.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """UTF-8 with the mark that Excel asks for, CRLF (RFC 4180), the columns as first line; None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def cell(value: object) -> str:
    """The text of one cell; what would be read as a formula gets an apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text

"""How files are de-identified where nobody says it: the table [deidentify] of the file that names the PACS.

[deidentify]
retain = ["patient_characteristics", "device_identity"]
burnt_in = "black_out"         # or "refuse"
refuse_faces = false
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.dicom.taken import BurntIn, Retain
from synth.errors import RequestError

TABLE = "deidentify"
_KEYS = ("retain", "burnt_in", "refuse_faces")


@dataclass(frozen=True, slots=True)
class Deidentification:
    """What is kept and what is refused; the defaults are the careful ones."""

    retain: frozenset[Retain] = frozenset({Retain.PATIENT_CHARACTERISTICS})
    burnt_in: BurntIn = BurntIn.BLACK_OUT
    refuse_faces: bool = False


CAREFUL = Deidentification()


def read_deidentification(path: Path) -> Deidentification:
    """The table of the file; the careful defaults where there is none. Raises RequestError naming what is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(TABLE, {})
    except FileNotFoundError:
        return CAREFUL
    except OSError as error:
        raise RequestError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{path.name} is not TOML: {error}.") from error
    if not isinstance(table, dict):
        raise RequestError(f"{path.name} has {TABLE!r} as no table; write [{TABLE}].")
    return _read(table)


def _read(table: Mapping[str, Any]) -> Deidentification:
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise RequestError(f"[{TABLE}] has {unknown[0]!r}; it may have {', '.join(_KEYS)}.")
    retain = table.get("retain", sorted(CAREFUL.retain))
    if not isinstance(retain, list) or not all(word in tuple(Retain) for word in retain):
        raise RequestError(f"[{TABLE}] has {retain!r} as 'retain'; it must be a list of {', '.join(Retain)}.")
    burnt_in = table.get("burnt_in", CAREFUL.burnt_in.value)
    if burnt_in not in tuple(BurntIn):
        raise RequestError(f"[{TABLE}] has {burnt_in!r} as 'burnt_in'; it must be {' or '.join(BurntIn)}.")
    faces = table.get("refuse_faces", CAREFUL.refuse_faces)
    if not isinstance(faces, bool):
        raise RequestError(f"[{TABLE}] has {faces!r} as 'refuse_faces'; it must be true or false.")
    return Deidentification(frozenset(map(Retain, retain)), BurntIn(burnt_in), faces)

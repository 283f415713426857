"""What is to be imported, from where, under which rules, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.dicom.taken import BurntIn, Retain, Rules
from synth.errors import RequestError

VOLUMES = ("CT", "MR", "PT")  # what a NIfTI file, which does not say it, can be taken as


@dataclass(frozen=True, slots=True)
class Order:
    """One import. Raises RequestError on a value that makes no sense."""

    source: Path  # a folder, a ZIP or a single file on this machine
    title: str  # for people: "folder /data/films", "3 files"
    origin: str  # collection or department that the images come from
    licence: str
    attribution: str = ""
    retain: frozenset[Retain] = frozenset({Retain.PATIENT_CHARACTERISTICS})
    burnt_in: BurntIn = BurntIn.BLACK_OUT
    refuse_faces: bool = False
    volumes: str = "CT"
    own_copy: bool = False  # the source lies in our arriving folder and is deleted when it is through

    def __post_init__(self) -> None:
        if not self.source.is_absolute():
            raise RequestError(f"The folder {str(self.source)!r} must be given from the root, as in /data/films.")
        if not self.origin.strip() or not self.licence.strip():
            raise RequestError("Say where the images come from and under which licence; 'unknown' is an answer too.")
        if self.volumes not in VOLUMES:
            raise RequestError(f"Volumes are taken as {self.volumes!r}; it must be one of {', '.join(VOLUMES)}.")

    def rules(self, key: bytes) -> Rules:
        """The rules of de-identification under the secret of this installation."""
        return Rules(key, self.retain, self.burnt_in, self.refuse_faces)

    def as_json(self) -> dict[str, Any]:
        """For the store."""
        return {
            "source": str(self.source),
            "title": self.title,
            "origin": self.origin,
            "licence": self.licence,
            "attribution": self.attribution,
            "retain": sorted(self.retain),
            "burnt_in": self.burnt_in.value,
            "refuse_faces": self.refuse_faces,
            "volumes": self.volumes,
            "own_copy": self.own_copy,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """Back from `as_json`. Raises RequestError where another version wrote it."""
        try:
            return cls(
                **{
                    **data,
                    "source": Path(data["source"]),
                    "retain": frozenset(Retain(name) for name in data["retain"]),
                    "burnt_in": BurntIn(data["burnt_in"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError(f"The stored import cannot be read: {error}.") from error

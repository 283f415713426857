"""Every error that a user can meet, as one tree.

    SynthError
    ├── RequestError        a value typed or chosen by the user is out of range
    │   └── OutOfScope      a prompt names nothing that can be drawn
    ├── PolicyError         the request is understood and refused (missing role)
    │   ├── NamesPerson     a text holds what identifies a person
    │   └── QuotaUsedUp     a user has asked for as many images as one may in an hour
    ├── BusyError           the queue is full
    ├── Cancelled           the user stopped the job
    ├── ModelError
    │   ├── WeightsMissing  a file of the model is not there
    │   ├── WeightsCorrupt  a file of the model is not the one its card names
    │   ├── LicenceNotAccepted  somebody must agree to the licence of the model first
    │   └── OutOfMemory     the device cannot hold the batch
    ├── DicomError          a file is not the DICOM or picture that we can read
    ├── ArchiveError        a PACS could not be reached, refused, or answered what cannot be used
    ├── CollectionError     the open collections could not be listed or reached
    └── StoreError          the database or the blob folder refused to keep something

The message is one sentence for the screen: what is wrong, which value, what would be right.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from synth.origins import Licence


class SynthError(Exception):
    """Base of all errors that pages show as a sentence."""

    refusal: ClassVar[str] = ""  # the kind under which monitoring counts it; empty: it is no refusal


class RequestError(SynthError):
    """A value of a request is out of its range."""


class OutOfScope(RequestError):
    """A prompt is readable and names nothing that can be drawn."""

    refusal = "out of scope"


class PolicyError(SynthError):
    """The request is refused by a rule."""

    refusal = "policy"


class NamesPerson(PolicyError):
    """A text holds what looks as if it identified a person."""

    refusal = "identifier"


class QuotaUsedUp(PolicyError):
    """A user has asked for as many images as one may in an hour."""

    refusal = "quota"


class BusyError(SynthError):
    """The queue of the device is full."""

    refusal = "busy"


class Cancelled(SynthError):
    """The job was cancelled by its user."""


class ModelError(SynthError):
    """The model could not be loaded or run."""


class WeightsMissing(ModelError):
    """A weight file named by the card does not exist."""


class WeightsCorrupt(ModelError):
    """A weight file does not have the sha256 that the card names."""


class LicenceNotAccepted(ModelError):
    """The model is somebody else's, and nobody has accepted its licence here yet."""

    def __init__(self, licence: Licence) -> None:
        self.licence = licence
        super().__init__(
            f"The model {licence.model_id} has the licence {licence.name!r}, which nobody has accepted here yet; "
            "read it and accept it in the sidebar."
        )


class OutOfMemory(ModelError):
    """The device ran out of memory."""


class DicomError(SynthError):
    """An image file cannot be read as what it claims to be."""


class ArchiveError(SynthError):
    """A PACS (DICOMweb or DIMSE) could not be reached, refused, or answered what cannot be used."""


class StoreError(SynthError):
    """The store could not keep or find something."""


class CollectionError(SynthError):
    """The open collections could not be listed or reached."""


def sentence(error: Exception, what: str, log: logging.Logger) -> str:
    """What a user may read of an exception; the whole of an unexpected one goes to the log."""
    if isinstance(error, SynthError):
        log.info("%s: %s", what, error)
        return str(error)
    log.error("%s", what, exc_info=error)
    return f"{what} because of an unexpected {type(error).__name__}; the server's log has the details."

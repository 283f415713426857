"""The closed lists of terms that the values in `synth.types` are made of."""

from enum import StrEnum


class Modality(StrEnum):
    """DICOM modality (PS3.3 C.7.3.1.1.1) of the image that is asked for."""

    DX = "DX"
    CT = "CT"
    MR = "MR"
    PET = "PT"
    OTHER = "OT"  # only of images that are restored, never drawn


TRANSLATIONS = (  # (source, target) of the brain slices that the training data hold in pairs
    (Modality.CT, Modality.MR),
    (Modality.MR, Modality.CT),
    (Modality.PET, Modality.MR),
    (Modality.MR, Modality.PET),
)


class View(StrEnum):
    """View position of a chest film (PS3.3 C.8.11.5); CT slices are AXIAL."""

    PA = "PA"
    AP = "AP"
    AXIAL = "AXIAL"


class Sex(StrEnum):
    """Patient's sex as in DICOM (0010,0040)."""

    FEMALE = "F"
    MALE = "M"


class Side(StrEnum):
    """The patient's side, not the viewer's."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "bilateral"


class Severity(StrEnum):
    """How marked a finding is."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Zone(StrEnum):
    """Where in the lung a finding lies: third of a film or lobe."""

    UPPER = "upper"
    MIDDLE = "middle"
    LOWER = "lower"


class JobState(StrEnum):
    """Life of a job in the engine."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


EDIT_GUIDANCE = 1.3  # of a drawn lesion: more makes it brighter than real ones, to the eye and to the readers
FILM_CLOSE_UP_GUIDANCE = 1.0  # in a close-up the same lesion comes out brighter
NODULE_GUIDANCE = 2.0  # of a nodule in a close-up of CT: less leaves its border soft

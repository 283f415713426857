"""What is kept: images with their provenance, jobs, the audit trail, real images and how they came."""

from synth.store.holding_records import Facets, FileOutcome, Holding, Import, ImportState, Outcome, Search
from synth.store.records import StoredImage
from synth.store.store import Store

__all__ = [
    "Facets",
    "FileOutcome",
    "Holding",
    "Import",
    "ImportState",
    "Outcome",
    "Search",
    "Store",
    "StoredImage",
]

"""What is kept: images with their provenance, jobs, the audit trail."""

from synth.store.records import StoredImage
from synth.store.store import Store

__all__ = ["Store", "StoredImage"]

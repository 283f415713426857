"""SynthRead: synthetic radiographs from a clinical prompt, beside real ones, with their provenance."""

__version__ = "0.1.0"

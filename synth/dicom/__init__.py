"""DICOM in both directions: synthetic images out, real images in."""

"""The reading room without a screen: items, grading, spacing, statistics."""

"""The reading room without a screen: items, grading, spacing, choice of the next case, statistics."""

"""Documents about this installation, made from live data: every number in them carries its source."""

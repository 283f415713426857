"""What stands at the end of the sidebar: an alarm for those who look after the app, and the notices for everybody."""

from __future__ import annotations

from synth.ui import admin_documents, admin_monitor


def end() -> None:
    """Both."""
    admin_monitor.sidebar()
    admin_documents.for_everybody()

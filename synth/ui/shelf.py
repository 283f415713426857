"""The Real images page: its tabs, each a module of its own."""

from __future__ import annotations

from synth.ui import shelf_collections, shelf_images, shelf_import, shelf_pacs, tabs

TABS: tabs.Tabs = {
    "images": ("Images", shelf_images.show),
    "import": ("Import", shelf_import.show),
    "pacs": ("PACS", shelf_pacs.show),
    "collections": ("Open collections", shelf_collections.show),
}


def panel() -> None:
    """The tab that the address names, the images without one."""
    tabs.show(TABS, "shelf_tab")

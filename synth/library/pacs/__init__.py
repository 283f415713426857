"""PACS: search, fetch from and send to archives by DICOMweb (PS3.18) and by DIMSE (PS3.7), and listen to them."""

from synth.library.pacs.dicomweb import DicomWebArchive
from synth.library.pacs.dimse import DimseArchive
from synth.library.pacs.listener import Listener as Listener
from synth.library.pacs.nodes import Kind
from synth.library.pacs.nodes import ListenerSettings as ListenerSettings
from synth.library.pacs.nodes import Network as Network
from synth.library.pacs.nodes import Node as Node
from synth.library.pacs.nodes import read_network as read_network
from synth.library.pacs.values import Archive as Archive
from synth.library.pacs.values import Outcome as Outcome
from synth.library.pacs.values import Query as Query
from synth.library.pacs.values import SeriesRow as SeriesRow
from synth.library.pacs.values import State as State
from synth.library.pacs.values import StudyRow as StudyRow
from synth.library.pacs.values import Transfer as Transfer


def archive(node: Node, listener: Listener | None = None) -> Archive:
    """The archive of a node, not connected yet; `listener` is needed where it sends by C-MOVE."""
    return DicomWebArchive(node) if node.kind is Kind.DICOMWEB else DimseArchive(node, listener)

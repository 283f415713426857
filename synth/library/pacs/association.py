"""Associations with a DIMSE archive (PS3.8): opened as the node says, every failure one sentence."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import Verification

from synth.errors import ArchiveError
from synth.library.pacs.nodes import Node
from synth.library.pacs.retry import Unreachable
from synth.library.pacs.secrets import tls_context

CONTEXTS_MAX = 128  # of one association (PS3.8 section 9.3.2.2: odd numbers of one byte)
# what to say of a rejection by source and diagnostic (PS3.8 table 9-21)
_REJECTED = {
    (1, 3): "does not know our AE title {ours!r}; its administrator can add it",
    (1, 7): "does not have the AE title {theirs!r}; correct its aet",
    (3, 2): "has reached its limit of associations",
}


def context(abstract: str, *syntaxes: str) -> PresentationContext:
    """A presentation context of one abstract syntax; without transfer syntaxes the uncompressed ones."""
    return build_context(abstract, list(syntaxes) or None)


@contextmanager
def associated(
    node: Node,
    contexts: Sequence[PresentationContext],
    on_store: Callable[[Any], int] | None = None,
    stores: Sequence[str] = (),
) -> Iterator[Association]:
    """An association, released at the end and aborted after an error.

    `stores` are the SOP classes that the archive may store to us on it (C-GET), each handed to `on_store`.
    Raises Unreachable where nobody answers for now, ArchiveError where they do not want us.
    """
    entity = AE(ae_title=node.our_aet)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = node.timeout_s
    entity.connection_timeout = node.timeout_s
    tls = (tls_context(node.auth, node.ca_file, node.verify, node.name), node.host) if node.tls else None
    try:
        opened = entity.associate(
            node.host,
            node.port,
            contexts=list(contexts),
            ae_title=node.aet,
            ext_neg=[build_role(uid, scu_role=True, scp_role=True) for uid in stores],
            evt_handlers=[(evt.EVT_C_STORE, on_store)] if on_store is not None else [],
            tls_args=tls,
        )
    except (OSError, RuntimeError) as error:  # a host name that no one knows, before anything is sent
        raise Unreachable(f"{node.name} cannot be reached; is it running, and is its address right?") from error
    if not opened.is_established:
        raise _why_not(node, opened, tls)
    bare = opened.dul.socket.socket
    try:
        yield opened
        if opened.is_established:
            opened.release()
    except BaseException:
        opened.abort()
        raise
    finally:
        if bare is not None:
            bare.close()  # pynetdicom leaves it open where the other side cut the line


def echo(node: Node) -> None:
    """C-ECHO (PS3.7 section 9.1.5). Raises ArchiveError where the archive does not answer it with success."""
    with associated(node, [context(Verification)]) as line:
        status = checked(node, line.send_c_echo(), "C-ECHO")
        if status != 0x0000:
            raise ArchiveError(f"{node.name} answered C-ECHO with status {status:04X}h.")


@contextmanager
def offered(node: Node, what: str) -> Iterator[None]:
    """Say it in a sentence where the archive let us in but does not offer this service."""
    try:
        yield
    except ValueError as error:  # pynetdicom: no presentation context was accepted for it
        raise ArchiveError(f"{node.name} does not offer {what} to us; its administrator can allow it.") from error
    except RuntimeError as error:  # the association ended before it was asked
        raise Unreachable(f"{node.name} ended the association.") from error


def checked(node: Node, answer: Any, what: str) -> int:
    """The status of an answer; an empty one means that the line broke or the time was up."""
    if "Status" not in answer:
        raise Unreachable(f"{node.name} broke off or did not answer {what} within {node.timeout_s:g} s.")
    return int(answer.Status)


def _why_not(node: Node, line: Association, tls: tuple[ssl.SSLContext, str] | None) -> ArchiveError:
    """The sentence for an association that did not come about."""
    if line.is_rejected:
        answer = line.acceptor.primitive
        sentence = _REJECTED.get((answer.result_source, answer.diagnostic), "rejected the association")
        text = f"{node.name} {sentence.format(ours=node.our_aet, theirs=node.aet)}."
        return Unreachable(text) if answer.result == 2 else ArchiveError(text)  # 2: rejected transient
    return _probed(node, tls) or Unreachable(
        f"{node.name} ended the association before it began; do its AE title and port belong to DICOM"
        f"{' without TLS?' if tls else ', and does it want TLS?'}"
    )


def _probed(node: Node, tls: tuple[ssl.SSLContext, str] | None) -> ArchiveError | None:
    """What a bare connection says of the failure, as pynetdicom only logs it; None where it works."""
    try:
        with socket.create_connection((node.host, node.port), timeout=node.timeout_s) as bare:
            if tls is not None:
                tls[0].wrap_socket(bare, server_hostname=tls[1]).close()
    except ssl.SSLCertVerificationError:
        return ArchiveError(f"{node.name} shows a certificate that is not trusted here; name its authority as ca_file.")
    except ssl.SSLError:
        return ArchiveError(f"{node.name} and we could not agree on TLS; does this port speak it?")
    except TimeoutError:
        return Unreachable(f"{node.name} did not answer within {node.timeout_s:g} s.")
    except OSError:
        return Unreachable(f"{node.name} cannot be reached; is it running, and is its address right?")
    return None

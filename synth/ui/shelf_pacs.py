"""The PACS tab: a node, whether it answers, its worklist to retrieve from, or synthetic images to send to it."""

from __future__ import annotations

import streamlit as st

from synth.intake.archives import Listening
from synth.library.pacs import Network, Node
from synth.ui import resources, shelf_place, shelf_push, shelf_transfers, shelf_worklist, views, waiting

ECHO, TEST = "pacs-echo", "pacs-test-asked"
WAYS = {"fetch": "Find and retrieve", "send": "Send synthetic images"}
EXAMPLE = """[[node]]
name = "teaching"
kind = "dicomweb"                  # or "dimse" with host, port and aet
url = "https://pacs.example.org/dicom-web"
auth = "basic"                     # none, basic, bearer or mtls
user = "reader"
password_file = "pacs.password"    # beside this file
allow_push = false                 # true lets administrators send synthetic images"""


def show() -> None:
    """The tab; without a node one sentence that says how to name one."""
    network = resources.archives().network()
    _listener(resources.archives().listening())
    if not network.nodes:
        st.info(f"No PACS is configured yet; name one in {resources.settings().pacs}, for instance:")
        st.code(EXAMPLE, language="toml")
        return
    node = _node(network)
    with views.show_error():
        _answer(node)
    way = _way()
    with views.show_error():
        (shelf_push if way == "send" else shelf_worklist).show(node)
    shelf_transfers.show("retrieve", "push")


def _listener(listening: Listening) -> None:
    """Where a PACS may send images to, and what went wrong last."""
    if not listening.aet:
        return
    name = f"{listening.aet}, port {listening.port}"
    if listening.running:
        st.caption(f":material/hearing: A PACS may send images to {name}: they are de-identified and imported.")
    if listening.problem:
        st.warning(listening.problem if listening.running else f"Nobody can send to {name}. {listening.problem}")


def _node(network: Network) -> Node:
    """The node that is chosen, its address, and the test of its connection."""
    names = [node.name for node in network.nodes]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        name = st.selectbox("PACS", names, key="pacs_node", width=220, on_change=_forget, persist_state="session")
        node = network.node(name or names[0])
        st.button("Test connection", key="pacs_test", icon=":material/network_check:", on_click=_test)
        st.caption(f"`{node.address}`", width="content")
    return node


def _answer(node: Node) -> None:
    """Whether it answers, once that was asked."""
    if st.session_state.pop(TEST, False):
        waiting.ask(ECHO, resources.archives().echo(node.name))
    seconds = waiting.heard(ECHO, f"Waiting for {node.name}")
    if seconds is not None:
        st.badge(f"{node.name} answered in {seconds:.2f} s", icon=":material/check:", color="green")


def _test() -> None:
    st.session_state[TEST] = True


def _forget() -> None:
    waiting.forget(ECHO)
    shelf_worklist.forget()


def _way() -> str:
    """To find or to send; the address holds it, so that Generate can lead here with an image."""
    asked = st.query_params.get("way", "fetch")
    st.session_state["pacs_way"] = asked if asked in WAYS else "fetch"
    chosen = st.segmented_control(
        "What to do", tuple(WAYS), required=True, format_func=WAYS.__getitem__, key="pacs_way", on_change=_turned,
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen or "fetch"


def _turned() -> None:
    way = st.session_state.get("pacs_way")
    shelf_place.go(way="send" if way == "send" else None, push=None)

"""The file that names the PACS: what it may say, and the sentence for everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import ArchiveError, RequestError
from synth.library.pacs import ListenerSettings, Network, Node, read_network
from synth.library.pacs.nodes import Kind
from synth.library.pacs.secrets import Auth, AuthKind

WEB = '[[node]]\nname = "a"\nkind = "dicomweb"\n'
DIMSE = '[[node]]\nname = "a"\nkind = "dimse"\nhost = "192.0.2.7"\nport = 104\naet = "WARD"\n'
HTTPS = 'url = "https://pacs.example.org/dicom-web"\n'


def network(folder: Path, text: str) -> Network:
    (folder / "pacs.toml").write_text(text)
    return read_network(folder / "pacs.toml")


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    text = """
        [listener]
        aet = "SYNTHREAD"
        port = 11112
        host = "0.0.0.0"
        allowed = ["TEACHING"]
        max_files = 50
        max_bytes = 1000000

        [[node]]
        name = "teaching"
        kind = "dicomweb"
        url = "https://pacs.example.org/dicom-web/"
        auth = "basic"
        user = "reader"
        password_file = "secret"
        ca_file = "ca.pem"
        allow_push = true
        timeout_s = 5
        retries = 0

        [[node]]
        name = "ward"
        kind = "dimse"
        host = "192.0.2.7"
        port = 104
        aet = "WARD"
        our_aet = "US"
        retrieve = "move"
        tls = true
        auth = "mtls"
        client_cert = "us.pem"
        client_key = "us.key"
        verify = false
    """
    assert network(tmp_path, text) == Network(
        (
            Node(
                "teaching",
                Kind.DICOMWEB,
                url="https://pacs.example.org/dicom-web",
                auth=Auth(AuthKind.BASIC, user="reader", secret_file=tmp_path / "secret"),
                ca_file=tmp_path / "ca.pem",
                allow_push=True,
                timeout_s=5.0,
                retries=0,
            ),
            Node(
                "ward",
                Kind.DIMSE,
                host="192.0.2.7",
                port=104,
                aet="WARD",
                our_aet="US",
                retrieve="move",
                tls=True,
                auth=Auth(AuthKind.MTLS, client_cert=tmp_path / "us.pem", client_key=tmp_path / "us.key"),
                verify=False,
            ),
        ),
        ListenerSettings("SYNTHREAD", 11112, "0.0.0.0", ("TEACHING",), 50, 1_000_000),
    )


def test_without_entries_nothing_listens_and_nothing_may_be_pushed(tmp_path: Path) -> None:
    assert network(tmp_path, "") == Network((), None)
    (node,) = network(tmp_path, WEB + HTTPS).nodes
    assert (node.allow_push, node.verify, node.auth.kind) == (False, True, AuthKind.NONE)
    assert network(tmp_path, '[listener]\naet = "US"\nport = 104').listener == ListenerSettings("US", 104, "127.0.0.1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[node]", "pacs.toml is not TOML"),
        ("[server]", "pacs.toml has 'server'; it may have deidentify, listener, node."),
        ("node = 3", "pacs.toml has a node that is not a table; write [[node]]."),
        ("listener = 3", "pacs.toml has 3 as 'listener'; it must be a table."),
        ('[[node]]\nkind = "dicomweb"\n' + HTTPS, "Node 1 has no 'name'; it must be given."),
        ('[[node]]\nname = "a"\n', "Node 'a' has no 'kind'; it must be given."),
        ('[[node]]\nname = "a"\nkind = "ftp"\n', "Node 'a' has 'ftp' as 'kind'; it must be dicomweb or dimse."),
        (WEB, "Node 'a' has no 'url'; it must be given."),
        (WEB + 'url = ""', "Node 'a' has '' as 'url'; it must be a word."),
        (WEB + 'url = "ftp://x"', "it must be like https://pacs.example.org/dicom-web."),
        (WEB + 'url = "https://x:99999/y"', "it must be like https://pacs.example.org/dicom-web."),
        (WEB + 'url = "https://me:word@x/y"', "Node 'a' has a user or password in its 'url'"),
        (WEB + HTTPS + "port = 3", "Node 'a' has 'port'; it may have allow_push, auth, ca_file, kind,"),
        (WEB + HTTPS + "allow_push = 1", "Node 'a' has 1 as 'allow_push'; it must be true or false."),
        (WEB + HTTPS + "timeout_s = 0", "Node 'a' has 0 as 'timeout_s'; it must lie between 1 and 3600."),
        (WEB + HTTPS + "retries = true", "Node 'a' has True as 'retries'; it must be a whole number."),
        (WEB + HTTPS + 'auth = "basic"\nuser = "me"', "must have either 'password_env' or 'password_file'."),
        (WEB + HTTPS + 'auth = "basic"\npassword_env = "P"', "Node 'a' has no 'user'; it must be given."),
        (WEB + HTTPS + 'auth = "basic"\npassword = "secret"', "Node 'a' has 'password'; it may have"),
        (WEB + HTTPS + 'auth = "bearer"\ntoken_env = "T"\ntoken_file = "f"', "either 'token_env' or 'token_file'."),
        (WEB + HTTPS + 'auth = "mtls"\nclient_cert = "c"', "Node 'a' has no 'client_key'; it must be given."),
        (WEB + 'url = "http://x"\nauth = "bearer"\ntoken_env = "T"', "readable by all; its 'url' must be https."),
        (
            WEB + 'url = "http://x"\nauth = "mtls"\nclient_cert = "c"\nclient_key = "k"',
            "has a client certificate but no https",
        ),
        (WEB + HTTPS + WEB + HTTPS, "Node 'a' is there twice; every name must be its own."),
        (DIMSE + "port = 104", "pacs.toml is not TOML"),
        (DIMSE.replace("104", "70000"), "Node 'a' has 70000 as 'port'; it must lie between 1 and 65535."),
        (DIMSE.replace("WARD", "LONGER THAN SIXTEEN"), "an AE title is 1-16 letters and digits."),
        (DIMSE + 'our_aet = "A\\\\B"', "an AE title is 1-16 letters and digits."),
        (DIMSE + 'retrieve = "push"', "Node 'a' has 'push' as 'retrieve'; it must be get or move."),
        (DIMSE + 'auth = "basic"', "Node 'a' has 'basic' as 'auth'; DIMSE knows none or mtls."),
        (DIMSE + 'auth = "mtls"\nclient_cert = "c"\nclient_key = "k"', "no TLS; add tls = true."),
        ('[listener]\naet = "US"', "Listener has no 'port'; it must be given."),
        ('[listener]\naet = "US"\nport = 104\nhost = "0.0.0.0"', "Listener can be reached from outside"),
        ('[listener]\naet = "US"\nport = 104\nallowed = [3]', "Listener has 3 as 'allowed'"),
        ('[listener]\naet = "US"\nport = 104\nfolder = "x"', "Listener has 'folder'; it may have aet, allowed,"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RequestError) as caught:
        network(tmp_path, text)
    assert told in str(caught.value)


def test_a_missing_file_and_a_missing_node_are_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"^pacs\.toml cannot be read: No such file or directory\.$"):
        read_network(tmp_path / "pacs.toml")
    found = network(tmp_path, WEB + HTTPS)
    assert found.node("a") is found.nodes[0]
    with pytest.raises(RequestError, match=r"^There is no PACS 'b'; there are: a\.$"):
        found.node("b")


def test_secrets_are_read_when_they_are_used_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = WEB + HTTPS + 'auth = "bearer"\ntoken_env = "PACS_TOKEN"\n'
    text += WEB.replace('"a"', '"b"') + HTTPS + 'auth = "basic"\nuser = "me"\npassword_file = "word"\n'
    by_name, by_file = network(tmp_path, text).nodes
    with pytest.raises(ArchiveError, match=r"^The secret of a is not in the variable PACS_TOKEN; put"):
        by_name.auth.secret("a")
    with pytest.raises(ArchiveError, match=r"^The secret of b cannot be read from the file word\.$"):
        by_file.auth.secret("b")
    monkeypatch.setenv("PACS_TOKEN", "sesame1")
    (tmp_path / "word").write_text("sesame2\n")
    assert (by_name.auth.secret("a"), by_file.auth.secret("b")) == ("sesame1", "sesame2")
    assert "sesame" not in repr(by_name) + repr(by_file) + str(by_name) + str(by_file)

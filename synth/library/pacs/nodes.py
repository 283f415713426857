"""Which PACS there are and how to reach them: one TOML file, read into frozen values. Secrets are not in it.

    [listener]                     # optional: where a PACS may send images to
    aet = "SYNTHREAD"
    port = 11112
    host = "127.0.0.1"             # any other needs `allowed`
    allowed = ["TEACHING"]         # calling AE titles; an AE title is a name, not a proof
    max_files = 10000              # of one association
    max_bytes = 268435456          # of one file

    [deidentify]                   # optional, see synth/intake/defaults.py

    [[node]]
    name = "teaching"
    kind = "dicomweb"
    url = "https://pacs.example.org/dicom-web"
    auth = "basic"                 # none | basic | bearer | mtls
    user = "reader"
    password_file = "pacs.password"    # or password_env; bearer: token_file or token_env; mtls: client_cert, client_key
    ca_file = "hospital-ca.pem"    # files are looked up beside this file

    [[node]]
    name = "ward"
    kind = "dimse"
    host = "192.0.2.7"
    port = 104
    aet = "WARD"
    our_aet = "SYNTHREAD"
    retrieve = "get"               # or "move": needs the listener, known to the PACS by its AE title

For both kinds: allow_push = false, timeout_s = 30, retries = 3, verify = true; DIMSE also tls = false.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from synth.errors import RequestError
from synth.library.pacs.secrets import NO_AUTH, Auth, AuthKind

_AUTH_KEYS = {
    AuthKind.NONE: set[str](),
    AuthKind.BASIC: {"user", "password_env", "password_file"},
    AuthKind.BEARER: {"token_env", "token_file"},
    AuthKind.MTLS: {"client_cert", "client_key"},
}
_BOTH = {"name", "kind", "auth", "ca_file", "verify", "allow_push", "timeout_s", "retries"}
_WEB = {"url"}
_DIMSE = {"host", "port", "aet", "our_aet", "retrieve", "tls"}
_LISTENER = {"aet", "port", "host", "allowed", "max_files", "max_bytes"}


class Kind(StrEnum):
    """Which protocol a node speaks."""

    DICOMWEB = "dicomweb"
    DIMSE = "dimse"


@dataclass(frozen=True, slots=True)
class Node:
    """One PACS. Of the addresses only those of its kind are set."""

    name: str
    kind: Kind
    url: str = ""
    host: str = ""
    port: int = 0
    aet: str = ""
    our_aet: str = "SYNTHREAD"
    retrieve: str = "get"  # get | move
    tls: bool = False
    auth: Auth = NO_AUTH
    ca_file: Path | None = None
    verify: bool = True
    allow_push: bool = False
    timeout_s: float = 30.0
    retries: int = 3  # after the first try

    @property
    def address(self) -> str:
        """Where it is, for the screen."""
        return self.url or f"{self.aet} at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Where a PACS may send files to."""

    aet: str
    port: int
    host: str = "127.0.0.1"
    allowed: tuple[str, ...] = ()  # calling AE titles; empty: any
    max_files: int = 10_000  # of one association
    max_bytes: int = 256 * 2**20  # of one file


@dataclass(frozen=True, slots=True)
class Network:
    """What the file says: the PACS by name, and the listener if there is to be one."""

    nodes: tuple[Node, ...] = ()
    listener: ListenerSettings | None = None

    def node(self, name: str) -> Node:
        """The node of this name. Raises RequestError naming those that there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise RequestError(f"There is no PACS {name!r}; there are: {', '.join(n.name for n in self.nodes) or 'none'}.")


def read_network(path: Path) -> Network:
    """Read the TOML file; secrets are read when a node is used. Raises RequestError naming the entry that is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RequestError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{path.name} is not TOML: {error}.") from error
    top = _Entry(path.name, data, path.parent)
    top.only({"listener", "node", "deidentify"})  # the last is read by `synth.intake.defaults`
    entries = data.get("node", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RequestError(f"{path.name} has a node that is not a table; write [[node]].")
    nodes = tuple(
        _node(_Entry(f"Node {entry.get('name', number)!r}", entry, path.parent))
        for number, entry in enumerate(entries, start=1)
    )
    twice = {node.name for node in nodes if [other.name for other in nodes].count(node.name) > 1}
    if twice:
        raise RequestError(f"Node {min(twice)!r} is there twice; every name must be its own.")
    listener = top.get("listener", dict, None)
    return Network(nodes, _listener(_Entry("Listener", listener, path.parent)) if listener is not None else None)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One table of the file, with its name for the sentences."""

    name: str
    data: Mapping[str, Any]
    folder: Path

    def only(self, keys: set[str]) -> None:
        unknown = sorted(set(self.data) - keys)
        if unknown:
            raise RequestError(f"{self.name} has {unknown[0]!r}; it may have {', '.join(sorted(keys))}.")

    def get(self, key: str, kind: type, absent: Any = ...) -> Any:
        value = self.data.get(key, absent)
        if value is ...:
            raise RequestError(f"{self.name} has no {key!r}; it must be given.")
        if value is not absent and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise RequestError(f"{self.name} has {value!r} as {key!r}; it must be {_WORDS[kind]}.")
        return value

    def text(self, key: str, absent: Any = ...) -> str:
        value: str = self.get(key, str, absent)
        if not value.isprintable() or (value == "" and key in self.data):
            raise RequestError(f"{self.name} has {value!r} as {key!r}; it must be a word.")
        return value

    def number(self, key: str, low: int, high: int, absent: Any = ...) -> int:
        value: int = self.get(key, int, absent)
        if not low <= value <= high:
            raise RequestError(f"{self.name} has {value} as {key!r}; it must lie between {low} and {high}.")
        return value

    def choice(self, key: str, choices: tuple[str, ...], absent: Any = ...) -> str:
        value = self.text(key, absent)
        if value not in choices:
            raise RequestError(f"{self.name} has {value!r} as {key!r}; it must be {' or '.join(choices)}.")
        return value

    def aet(self, key: str, absent: Any = ...) -> str:
        value = self.text(key, absent)
        _check_aet(value, self.name, key)
        return value

    def file(self, key: str, absent: Any = None) -> Path | None:
        value = self.text(key, "" if absent is None else absent)
        return self.folder / value if value else None


_WORDS = {str: "a text in quotes", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}


def _check_aet(value: object, name: str, key: str) -> None:
    """An AE title (PS3.5 section 6.2): 1-16 printable ASCII characters without backslash, not only spaces."""
    good = isinstance(value, str) and value.isascii() and value.isprintable() and value.strip() and "\\" not in value
    if not good or len(str(value)) > 16:
        raise RequestError(f"{name} has {value!r} as {key!r}; an AE title is 1-16 letters and digits.")


def _node(entry: _Entry) -> Node:
    kind = Kind(entry.choice("kind", tuple(Kind)))
    auth = AuthKind(entry.choice("auth", tuple(AuthKind), "none"))
    if kind is Kind.DIMSE and auth not in (AuthKind.NONE, AuthKind.MTLS):
        raise RequestError(f"{entry.name} has {auth.value!r} as 'auth'; DIMSE knows none or mtls.")
    entry.only(_BOTH | _AUTH_KEYS[auth] | (_WEB if kind is Kind.DICOMWEB else _DIMSE))
    place = _web(entry, auth) if kind is Kind.DICOMWEB else _dimse(entry, auth)
    return Node(
        name=entry.text("name"),
        kind=kind,
        auth=_auth(entry, auth),
        ca_file=entry.file("ca_file"),
        verify=entry.get("verify", bool, True),
        allow_push=entry.get("allow_push", bool, False),
        timeout_s=float(entry.number("timeout_s", 1, 3600, 30)),
        retries=entry.number("retries", 0, 10, 3),
        **place,
    )


def _web(entry: _Entry, auth: AuthKind) -> dict[str, Any]:
    url = entry.text("url")
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0  # asking for the port checks it
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise RequestError(f"{entry.name} has no usable 'url'; it must be like https://pacs.example.org/dicom-web.")
    if parts.username or parts.password:
        raise RequestError(f"{entry.name} has a user or password in its 'url'; use auth = \"basic\" and password_file.")
    if auth is AuthKind.MTLS and parts.scheme != "https":
        raise RequestError(f"{entry.name} has a client certificate but no https; it would not be asked for.")
    if auth is not AuthKind.NONE and parts.scheme == "http" and not _loopback(parts.hostname or ""):
        raise RequestError(f"{entry.name} would send its password or token readable by all; its 'url' must be https.")
    return {"url": url.rstrip("/")}


def _dimse(entry: _Entry, auth: AuthKind) -> dict[str, Any]:
    tls = entry.get("tls", bool, False)
    if auth is AuthKind.MTLS and not tls:
        raise RequestError(f"{entry.name} has a client certificate but no TLS; add tls = true.")
    return {
        "host": entry.text("host"),
        "port": entry.number("port", 1, 65535),
        "aet": entry.aet("aet"),
        "our_aet": entry.aet("our_aet", "SYNTHREAD"),
        "retrieve": entry.choice("retrieve", ("get", "move"), "get"),
        "tls": tls,
    }


def _auth(entry: _Entry, kind: AuthKind) -> Auth:
    if kind is AuthKind.MTLS:
        return Auth(kind, client_cert=entry.file("client_cert", ...), client_key=entry.file("client_key", ...))
    if kind is AuthKind.NONE:
        return NO_AUTH
    word = "password" if kind is AuthKind.BASIC else "token"
    variable, file = entry.text(f"{word}_env", ""), entry.file(f"{word}_file")
    if bool(variable) == bool(file):
        raise RequestError(f"{entry.name} must have either '{word}_env' or '{word}_file'.")
    user = entry.text("user") if kind is AuthKind.BASIC else ""
    return Auth(kind, user=user, secret_env=variable, secret_file=file)


def _listener(entry: _Entry) -> ListenerSettings:
    entry.only(_LISTENER)
    host = entry.text("host", "127.0.0.1")
    allowed = tuple(entry.get("allowed", list, []))
    for title in allowed:
        _check_aet(title, entry.name, "allowed")
    if not allowed and not _loopback(host):
        raise RequestError("Listener can be reached from outside and has no 'allowed'; name the calling AE titles.")
    return ListenerSettings(
        aet=entry.aet("aet"),
        port=entry.number("port", 1, 65535),
        host=host,
        allowed=allowed,
        max_files=entry.number("max_files", 1, 1_000_000, 10_000),
        max_bytes=entry.number("max_bytes", 1, 2**31, 256 * 2**20),
    )


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

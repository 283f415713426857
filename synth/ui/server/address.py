"""Where a request comes from and where it arrived, believing nothing that a stranger can write."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import Scope

LOOPBACK = "127.0.0.1"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback(address: str | None) -> bool:
    """Whether an address or host name is this computer's own; None stands for every address."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def arrived_here(scope: Scope) -> bool:
    """Whether a request came in on the loopback address and asks for this computer by one of its own names.

    The name matters: a page elsewhere can have its own host name point to 127.0.0.1 (DNS rebinding).
    """
    server = scope.get("server")
    host = Headers(scope=scope).get("host", "").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return server is not None and is_loopback(server[0]) and name in OWN_NAMES


def client(scope: Scope, proxies: Collection[str]) -> str:
    """The address of whoever asks: the last one that none of our `proxies` has, walking back from the connection."""
    hops = [_bare(part) for line in Headers(scope=scope).getlist("x-forwarded-for") for part in line.split(",")]
    peer = _peer(scope, hops)
    if peer not in proxies:
        return peer
    return next((hop for hop in reversed(hops) if hop not in proxies), peer)


def _peer(scope: Scope, hops: list[str]) -> str:
    """The other end of the connection. uvicorn has replaced it by the header where that end was 127.0.0.1."""
    peer = (scope.get("client") or ("unknown", 0))[0]
    written = next((hop for hop in reversed(hops) if hop != LOOPBACK), LOOPBACK) if hops else None
    return LOOPBACK if peer == written else str(peer)


def _bare(part: str) -> str:
    """An address without its port: "10.0.0.7", "10.0.0.7:4711", "[2001:db8::1]:4711"."""
    text = part.strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text

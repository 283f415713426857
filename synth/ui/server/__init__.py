"""The server around the pages: what app.py gives to Streamlit's App, and the refusal to listen where it must not."""

from __future__ import annotations

import logging
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from streamlit import config

from synth.errors import SynthError
from synth.ui import house
from synth.ui.server import account, metrics, verify
from synth.ui.server.address import is_loopback
from synth.ui.server.gate import Gate
from synth.ui.server.headers import SecurityHeaders
from synth.verify import Proofs

log = logging.getLogger(__name__)


def parts() -> dict[str, Any]:
    """Routes and middleware for `App`. Ends the program, in one sentence, where the server must not start."""
    try:
        auth, rules = house.settings().auth, house.rules()
    except SynthError as error:
        raise SystemExit(str(error)) from error
    listens = config.get_option("server.address")
    if auth == "local" and not is_loopback(listens):
        raise SystemExit(
            f"SYNTH_AUTH is local, where nobody signs in, so the server listens on localhost only, not on "
            f"{listens or 'every address'}; set SYNTH_AUTH to accounts or oidc first."
        )
    if auth != "local" and not is_loopback(listens) and not (rules.https or config.get_option("server.sslCertFile")):
        log.warning("Passwords and cookies travel without TLS; see docs/access.md, 'Behind a proxy'.")
    return {"routes": _routes(auth), "middleware": _middleware(auth)}


def _routes(auth: str) -> list[BaseRoute]:
    """What is served besides Streamlit's own; a path that strangers may ask for stands in `gate.OPEN` too."""
    checker = verify.Endpoint(lambda: Proofs(house.departures().marks(), house.departures().roots()), house.rules())
    routes: list[BaseRoute] = [metrics.route, Route(verify.PATH, checker.verify, methods=["POST"])]
    if auth == "accounts":
        routes += [
            Route(account.SIGN_IN, account.sign_in, methods=["GET", "POST"]),
            Route(account.PASSWORD, account.password, methods=["GET", "POST"]),
            Route(account.SIGN_OUT, account.sign_out, methods=["POST"]),
        ]
    return routes


def _middleware(auth: str) -> list[Middleware]:
    """The headers outermost, so that refusals carry them too."""
    return [Middleware(SecurityHeaders, https=house.rules().https), Middleware(Gate, auth=auth)]

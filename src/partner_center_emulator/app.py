"""The emulator behind HTTP (wire room): the ASGI application.

It is a plain ASGI callable without middleware, because a rehearsal sends millions of small reads through it.
``Emulator`` and ``Options`` can be imported from here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from partner_center_emulator import control, pipeline, resources
from partner_center_emulator.actors import routes as support
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.errors import gateway
from partner_center_emulator.faults import pages as faulty_pages
from partner_center_emulator.faults import routes as fault_control
from partner_center_emulator.faults.delivery import Way
from partner_center_emulator.openapi import routes as description
from partner_center_emulator.requests import Call, Page, Route
from partner_center_emulator.routing import Match, RouteTree
from partner_center_emulator.signin import clouds
from partner_center_emulator.ui import routes as ui
from partner_center_emulator.webhooks.delivery import kick
from partner_center_emulator.wire import encode

__all__ = ["Application", "Emulator", "Options", "create_app"]

_SERVER_ID = b"202603020"
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def create_app(emulator: Emulator, on_stop: Callable[[], None] | None = None) -> Application:
    """Return the ASGI application that serves ``emulator``, its control plane included.

    ``on_stop`` runs when the server shuts down, after the last request.
    """
    return Application(emulator, on_stop)


class Application:
    """The ASGI callable; holds the emulator and the tree of its routes."""

    def __init__(self, emulator: Emulator, on_stop: Callable[[], None] | None = None) -> None:
        self.emulator = emulator
        self._on_stop = on_stop
        pages = (*control.ROUTES, *fault_control.ROUTES, *support.ROUTES, *ui.ROUTES, *description.ROUTES)
        self._tree = RouteTree((*resources.routes(), *pages))
        self._date: tuple[int, bytes] = (-1, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"The emulator does not serve {scope['type']}.")
        self.emulator.clock.run_due()
        scope["cloud"], path = clouds.split(scope["path"])
        method = scope["method"]
        match = self._tree.find(path)
        if match is None:
            await self._reject(404, "Resource not found", send)
            return
        target = match.targets.get(method)
        if target is None:
            await self._reject(405, "The method is not allowed for this resource.", send)
        elif isinstance(target, Page):
            await self._page(target, match, scope, receive, send)
        else:
            await self._call(target, match, scope, receive, send)
        kick(self.emulator)

    async def _call(self, route: Route, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        call = Call(self.emulator, route, match.variables, match.path, scope["query_string"])
        call.headers = headers
        call.cloud = clouds.of_host(scope["cloud"], headers.get("host", ""))
        call.request_id = headers.get("ms-requestid") or self.emulator.next_request_id()
        call.correlation_id = headers.get("ms-correlationid") or self.emulator.next_request_id()
        if route.method in _BODY_METHODS:
            whole = await _read_body(receive)
            if whole is None:
                return  # the client went away in the middle of its request: it was never made
            call.raw_body = whole
        status, extra, body = await pipeline.answer(call)
        compliant = pipeline.mfa_header(call, call.principal)
        if compliant is not None:
            extra["isMfaCompliant"] = compliant
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in extra.items()]
        request_id = call.request_id.encode("latin-1")
        sent += (
            (b"ms-requestid", request_id),
            (b"ms-correlationid", call.correlation_id.encode("latin-1")),
            (b"ms-cv", request_id[-16:] + b".0"),
            (b"ms-serverid", _SERVER_ID),
            (b"date", self._date_header()),
            (b"content-length", b"%d" % len(body)),
        )
        if call.delivery is not None:
            await Way(self.emulator, scope, receive, send).carry(call.delivery, status, sent, body)
            return
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    async def _page(self, page: Page, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request({**scope, "path_params": match.variables}, receive)
        if page.template == "/" or page.template.startswith(control.PREFIX):
            response = await page.handler(self.emulator, request)
            response.headers["Date"] = self._date_header().decode()
            await response(scope, receive, send)
            return
        response, delivery = await faulty_pages.answer(self.emulator, page, request)
        response.headers["Date"] = self._date_header().decode()
        pipeline.tally(self.emulator, page.key, response.status_code)
        if delivery is not None:
            way = Way(self.emulator, scope, receive, send)
            await way.carry(delivery, response.status_code, response.raw_headers, bytes(response.body))
            return
        await response(scope, receive, send)

    async def _reject(self, status: int, message: str, send: Send) -> None:
        body = encode(gateway(status, message).body())
        response = Response(body, status, {"Date": self._date_header().decode()}, pipeline.JSON)
        await send({"type": "http.response.start", "status": status, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._on_stop is not None:
                    self._on_stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _date_header(self) -> bytes:
        """Return the emulator's time as HTTP writes it; made once per second."""
        now = self.emulator.clock.now()
        second = int(now.timestamp())
        if self._date[0] != second:
            self._date = (second, format_datetime(now, usegmt=True).encode())
        return self._date[1]


async def _read_body(receive: Receive) -> bytes | None:
    """Return the whole body; None when the client left before it was complete."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)

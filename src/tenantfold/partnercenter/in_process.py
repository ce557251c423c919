"""Reaches an ASGI application in this process (partnercenter room): for rehearsals and benchmarks.

httpx2 brings a transport of this kind, but looks for another event loop's library at every call, which costs more than
the rest of the call. A failing application is answered as a server would: 500, or a broken answer once it has begun.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx2

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
Application = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class InProcessTransport(httpx2.AsyncBaseTransport):
    """An HTTP transport that calls ``application`` instead of a network."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request; ReadError when the application ends without a whole answer."""
        exchange = _Exchange(await request.aread())
        url = request.url
        path, _, query = url.raw_path.partition(b"?")
        scope: _Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": path,
            "query_string": query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 0),
            "root_path": "",
        }
        try:
            await self._application(scope, exchange.receive, exchange.send)
        except Exception as error:  # whatever an application does wrong, its caller sees an answer
            if exchange.status:
                raise httpx2.ReadError(f"The application failed in the middle of its answer: {error}") from error
            return httpx2.Response(500)
        if not exchange.is_whole:
            raise httpx2.ReadError("The application ended without a whole answer.")
        return httpx2.Response(exchange.status, headers=exchange.headers, content=b"".join(exchange.parts))


class _Exchange:
    """One request and what has been answered to it so far."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []
        self.is_whole = False

    async def receive(self) -> _Message:
        """The request's body, once; then the client is gone."""
        if self._body is None:
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: _Message) -> None:
        """Take a piece of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)

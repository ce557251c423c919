"""The web server that takes deliveries of webhooks in: one door, on this machine only (ADR 0010).

A proxy of yours stands before it, ends TLS and passes POSTs on, at whatever path. Nothing is answered but a status, and
nothing of a delivery is believed before its signature was checked.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator, Mapping

import structlog
import uvicorn
from litestar import Litestar, MediaType, Request, Response, post
from litestar.datastructures import State

from tenantfold.errors import ConfigError, TenantfoldError
from tenantfold.flow.webhooks import Received, Receiver

log = structlog.get_logger()

HOST = "127.0.0.1"
LARGEST_BODY = 64 * 1024  # bytes; an event has some hundred
_AT_ONCE = 64  # requests; more are answered 503 and come again

STATUS: Mapping[Received, int] = {
    Received.WOKE: 200,
    Received.NOTHING_WAITS: 200,
    Received.IGNORED: 200,  # sending it ten times more would not make it better known
    Received.REFUSED: 401,
    Received.NOT_VERIFIED: 503,
}
_LEDGER_FAILED = 503


def application(receiver: Receiver) -> Litestar:
    """The web application over a receiver."""

    @post(
        ["/", "/{anywhere:path}"],
        status_code=200,
        media_type=MediaType.TEXT,
        request_max_body_size=LARGEST_BODY,
    )
    async def deliver(request: Request[object, object, State]) -> Response[bytes]:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            received = await receiver.receive(headers, body)
        except TenantfoldError as error:
            log.warning("webhook.not_kept", error=error.message)
            return _answer(_LEDGER_FAILED)
        return _answer(STATUS[received])

    return Litestar([deliver], openapi_config=None, logging_config=None, debug=False)


def _answer(status: int) -> Response[bytes]:
    return Response(b"", status_code=status, media_type=MediaType.TEXT)


class DeliveryServer(uvicorn.Server):
    """Serves on an open socket until ``should_exit``; signals stay with the command line."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(
            uvicorn.Config(
                application(receiver),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                limit_concurrency=_AT_ONCE,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=10,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave them alone."""
        yield


def open_door(port: int) -> socket.socket:
    """A listening socket of this machine; 0 lets the system pick. ConfigError when the port is taken."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ConfigError(
            f"Port {port} of {HOST} (webhooks.port) cannot be listened on: {error.strerror or 'unknown reason'}.",
            next_step="End what listens there, or choose another webhooks.port.",
            port=port,
        ) from error

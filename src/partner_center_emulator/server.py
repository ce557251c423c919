"""Serving the application on the loopback interface (wire room)."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from partner_center_emulator.app import create_app
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults.delivery import EXTENSION

HOST = "127.0.0.1"  # the emulator has no real authentication: it never listens to other machines
_BACKLOG = 512


class _Protocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with the connection in the scope: the fault plan may cut it."""

    def on_message_begin(self) -> None:
        """Begin a request whose scope knows its connection."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}


def bind(port: int) -> socket.socket:
    """Return a listening socket on the loopback interface; port 0 takes a free one. Raises OSError.

    It listens at once, so that a client that reads the address early waits instead of being refused.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def make_server(emulator: Emulator, on_stop: Callable[[], None] | None = None) -> uvicorn.Server:
    """Return a server for the emulator; ``run(sockets=[...])`` serves until a signal or ``should_exit``.

    ``on_stop`` runs after the last request and before the signal takes effect: the place to write a snapshot.
    """
    config = uvicorn.Config(
        create_app(emulator, on_stop),
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        date_header=False,  # Date is the emulator's clock, written by the application
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)

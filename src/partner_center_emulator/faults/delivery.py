"""How a spoiled answer leaves (fault room): reset, closed without a word, cut short, or in slow pieces.

Over a real socket it happens on the wire: ``server.py`` puts the connection into the scope. Without one (a transport in
the same process) the answer is begun and ``AnswerLostError`` is raised, so that a client sees a lost answer there, too.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Literal, cast

import msgspec
from starlette.types import Receive, Scope, Send

from partner_center_emulator.clock import rest
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.behaviour import Passing

EXTENSION = "emulator.connection"
_NO_LINGER = struct.pack("ii", 1, 0)  # close at once and throw away what is unsent: the peer sees a reset
_PIECES = 8

Headers = list[tuple[bytes, bytes]]


class AnswerLostError(ConnectionResetError):
    """The answer does not arrive; raised only where there is no connection to cut."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to an answer on its way: ``seconds`` is how long a slow body takes in all."""

    how: Literal["reset", "lost", "truncated", "slow"]
    seconds: float = 0.0
    passing: Passing = "emulated"


async def pass_time(emulator: Emulator, seconds: float, passing: Passing) -> None:
    """Let time pass during a call: on the emulator's clock, really, or both (for a frozen clock)."""
    if passing != "real":
        emulator.clock.advance(seconds)
    if passing != "emulated":
        await rest(seconds)


class Way:
    """The way back to one client."""

    def __init__(self, emulator: Emulator, scope: Scope, receive: Receive, send: Send) -> None:
        self._emulator = emulator
        self._receive = receive
        self._send = send
        connection = (scope.get("extensions") or {}).get(EXTENSION)
        self._transport = cast("asyncio.Transport | None", connection and connection["transport"])

    async def carry(self, delivery: Delivery, status: int, headers: Headers, body: bytes) -> None:
        """Deliver an answer badly; raises AnswerLostError in process when the client is to get no whole answer."""
        if delivery.how == "slow":
            await self._carry_slowly(delivery, status, headers, body)
        elif delivery.how == "truncated" and len(body) > 1:
            await self._start(status, headers)
            await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await self._cut(abruptly=False)
        else:
            if self._transport is None:
                await self._start(status, headers)
            await self._cut(abruptly=delivery.how == "reset")

    async def _carry_slowly(self, delivery: Delivery, status: int, headers: Headers, body: bytes) -> None:
        await self._start(status, headers)
        size = max(1, -(-len(body) // _PIECES))
        pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        for piece in pieces:
            await pass_time(self._emulator, delivery.seconds / len(pieces), delivery.passing)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _cut(self, *, abruptly: bool) -> None:
        if self._transport is None:
            raise AnswerLostError("the answer is lost on purpose")
        if abruptly:
            opened = cast("socket.socket | None", self._transport.get_extra_info("socket"))
            if opened is not None:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._transport.abort()
        else:
            self._transport.close()
        while (await self._receive())["type"] != "http.disconnect":
            continue

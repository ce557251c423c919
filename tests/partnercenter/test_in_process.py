"""The transport that calls an application in this process."""

from __future__ import annotations

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tenantfold.partnercenter import InProcessTransport, open_http


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the request, in two pieces."""
    message = await receive()
    assert (await receive())["type"] == "http.disconnect"
    await send({"type": "http.response.start", "status": 201, "headers": [(b"x-path", scope["raw_path"])]})
    await send({"type": "http.response.body", "body": scope["query_string"] + b"|", "more_body": True})
    await send({"type": "http.response.body", "body": message["body"]})


async def fails_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Break before answering."""
    raise RuntimeError("no")


async def fails_midway(scope: Scope, receive: Receive, send: Send) -> None:
    """Break after the answer has begun."""
    await send({"type": "http.response.start", "status": 200})
    raise RuntimeError("no")


async def stops_midway(scope: Scope, receive: Receive, send: Send) -> None:
    """Forget the end of the answer."""
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


async def test_carries_a_request_there_and_an_answer_back():
    """Path, query, body, status and headers arrive as over a network."""
    async with open_http(transport=InProcessTransport(echo)) as http:
        answer = await http.post("http://x.example/v1/a%2Fb?q=1", content=b"body")
    assert (answer.status_code, answer.headers["x-path"], answer.content) == (201, "/v1/a%2Fb", b"q=1|body")


async def test_an_application_that_breaks_is_a_server_that_fails():
    """As a real server answers."""
    async with open_http(transport=InProcessTransport(fails_at_once)) as http:
        assert (await http.get("http://x.example/")).status_code == 500


@pytest.mark.parametrize("application", [fails_midway, stops_midway])
async def test_half_an_answer_is_a_lost_one(application: ASGIApp):
    """A write must become a write in doubt."""
    async with open_http(transport=InProcessTransport(application)) as http:
        with pytest.raises(httpx2.ReadError):
            await http.get("http://x.example/")

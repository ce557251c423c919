"""A pretended Microsoft for the client's tests: answers by method and path, and remembers what it was asked."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx2
import msgspec

from tenantfold.domain.model import TenantId

TENANT = TenantId("3b33e682-00c3-41ee-9dd2-a548adf56438")
BASE = "https://partner.example"
SECRET = "s3cret-value"
REFRESH = "refresh-1"

Reply = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


def reply(body: object = None, status: int = 200, **headers: str) -> httpx2.Response:
    """An answer with a JSON body (bytes go out as they are); header names are written with underscores."""
    content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    return httpx2.Response(status, content=content, headers={k.replace("_", "-"): v for k, v in headers.items()})


def listing(*items: object, next_link: Mapping[str, object] | None = None) -> httpx2.Response:
    """A collection answer."""
    links = {"next": next_link} if next_link else {}
    return reply({"totalCount": len(items), "items": items, "links": links, "attributes": {"objectType": "Collection"}})


def access_token(name: str, upn: str = "agent@partner.example") -> str:
    """Something shaped like a JWT, different for each name."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode({"upn": upn, "jti": name})).rstrip(b"=").decode()
    return f"e30.{payload}.{name}"


@dataclass
class FakeMicrosoft:
    """Sign-in, Partner Center and Graph in one handler. The last reply of a route repeats."""

    replies: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    requests: list[httpx2.Request] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    token_replies: list[Reply] = field(default_factory=list)
    _asked: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """Answer this call with these replies, one after the other."""
        self.replies[method, path] = list(replies)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        if request.url.path.endswith("/oauth2/v2.0/token"):
            return self._token(request)
        self.requests.append(request)
        key = (request.method, request.url.path)
        replies = self.replies.get(key)
        if replies is None:
            return reply({"statusCode": 404, "message": f"Resource not found {key}"}, 404)
        number = self._asked[key]
        self._asked[key] += 1
        return self._give(replies[min(number, len(replies) - 1)], request)

    def sent(self, method: str) -> list[httpx2.Request]:
        """The requests of one method, in order."""
        return [request for request in self.requests if request.method == method]

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.token_requests.append(form)
        number = len(self.token_requests)
        if self.token_replies:
            return self._give(self.token_replies[min(number, len(self.token_replies)) - 1], request)
        body: dict[str, object] = {"access_token": access_token(f"token-{number}"), "expires_in": 3600}
        if form["grant_type"] == "refresh_token":
            body["refresh_token"] = f"refresh-{number + 1}"
        return reply(body)

    def _give(self, given: Reply, request: httpx2.Request) -> httpx2.Response:
        if isinstance(given, Exception):
            raise given
        if isinstance(given, httpx2.Response):
            # a response can be read once; a repeated reply is a fresh one
            return httpx2.Response(given.status_code, headers=given.headers, content=given.content)
        return given(request)

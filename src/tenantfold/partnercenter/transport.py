"""Sends one call to Microsoft and brings back one whole answer or one of our errors (partnercenter room).

The onion, outside in: patience (``retry``), a token, the budget, HTTP. A read is repeated by policy. A write leaves
exactly once, apart from two answers that say that nothing happened: 401 (one new token, then again) and 429 (wait, then
again), both with the same request id, because Microsoft rejected the call before doing anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from uuid import UUID, uuid4

import httpx2

from tenantfold.partnercenter.auth import Account, SignIn
from tenantfold.partnercenter.budget import Budget
from tenantfold.partnercenter.clouds import Cloud
from tenantfold.partnercenter.failures import FOREIGN, asked_seconds, lost_call, refused_call, stale_call
from tenantfold.partnercenter.options import CallRecord, ClientOptions
from tenantfold.partnercenter.ports import Clock
from tenantfold.partnercenter.retry import Patience, persist
from tenantfold.partnercenter.wire import JSON, without_bom
from tenantfold.partnercenter.wire_routes import GRAPH, Route, customer_in

APPLICATION = "tenantfold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to make. ``target`` is the path with its query; ``request_id`` is given for writes, made for reads."""

    route: Route
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    etag: str = ""
    request_id: UUID | None = None

    @property
    def path(self) -> str:
        """The target without its query: what errors may show."""
        return self.target.partition("?")[0]

    @property
    def customer_id(self) -> str:
        """Whose call it is, empty for nobody's: some limits are per customer (core reference 4)."""
        return customer_in(self.route, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A 2xx answer; ``facts`` name the call for errors about its body."""

    status: int
    body: bytes
    facts: dict[str, object]


class Transport:
    """The way to Microsoft of one partner tenant. ``calls`` counts exchanges by route template."""

    def __init__(
        self,
        account: Account,
        *,
        cloud: Cloud,
        http: httpx2.AsyncClient,
        sign_in: SignIn,
        budget: Budget,
        clock: Clock,
        options: ClientOptions,
    ) -> None:
        self.calls: Counter[str] = Counter()
        self._account = account
        self._cloud = cloud
        self._http = http
        self._sign_in = sign_in
        self._budget = budget
        self._clock = clock
        self._options = options
        self._policy = options.policy
        self._extensions = {"timeout": http.timeout.as_dict()}
        self._hosts = {base: httpx2.URL(base).netloc.decode() for base in (cloud.graph, cloud.partner_center)}
        self._headers = {
            "Accept": JSON,
            "Accept-Encoding": http.headers.get("Accept-Encoding", "identity"),
            "X-Locale": options.locale,
            "MS-PartnerCenter-Application": APPLICATION,
            "User-Agent": APPLICATION,
        }

    async def send(self, call: Call) -> Answer:
        """Make a call; the answer is 2xx and whole. Raises the errors of ``failures`` and of sign-in."""
        correlation_id = uuid4()
        # a throttled write had no effect, so only that is repeated; reads are repeated after any lost answer
        patience = Patience(self._policy, is_write=call.route.is_write)
        asked_at = self._clock.now()
        return await persist(lambda: self._attempt(call, correlation_id, asked_at), patience, self._policy, self._clock)

    async def _attempt(self, call: Call, correlation_id: UUID, asked_at: datetime) -> Answer:
        audience = self._cloud.graph_audience if call.route.service == GRAPH else self._cloud.audience
        facts: dict[str, object] = {
            "tenant": self._account.tenant_key,
            "method": call.route.method,
            "path": call.path,
            "request_id": str(call.request_id or uuid4()),
            "correlation_id": str(correlation_id),
        }
        token = await self._sign_in.token(audience)
        response = await self._exchange(call, token, facts, asked_at)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._sign_in.forget(audience, token)
            response = await self._exchange(call, await self._sign_in.token(audience), facts, asked_at)
        if response.is_success:
            return Answer(status=response.status_code, body=without_bom(response.content), facts=facts)
        raise self._failure(call, response, facts)

    async def _exchange(self, call: Call, token: str, facts: dict[str, object], asked_at: datetime) -> httpx2.Response:
        base = self._cloud.graph if call.route.service == GRAPH else self._cloud.partner_center
        route = call.route
        async with self._budget.admission(self._account.tenant_id, route.bucket, call.customer_id) as admission:
            self._still_wanted(call, facts, asked_at)
            status = 0
            try:
                # made by hand, as a stream with its headers: what the client adds would double the cost of a small read
                request = httpx2.Request(
                    route.method,
                    base + call.target,
                    headers={"Host": self._hosts[base], **self._headers_of(call, token, facts)},
                    stream=httpx2.ByteStream(call.body or b""),
                    extensions=self._extensions,
                )
                response = await self._http.send(request)
                status = response.status_code
                if status == HTTPStatus.TOO_MANY_REQUESTS:
                    asked = asked_seconds(response.headers.get("Retry-After"))
                    admission.refused(self._policy.default_retry_after_seconds if asked is None else asked)
            except FOREIGN as error:
                # no cause is chained: the request inside it holds the token
                raise lost_call(error, is_write=route.is_write, facts=facts) from None
            finally:
                self._record(call, status, (self._clock.now() - admission.left_at).total_seconds(), facts)
        self._options.note_date(response)
        return response

    def _still_wanted(self, call: Call, facts: dict[str, object], asked_at: datetime) -> None:
        """A write that waited too long does not leave: somebody may have concluded by now that it never did.

        That is what makes a process harmless that stood still between its intent and its call (DESIGN 5, zombie).
        """
        waited = (self._clock.now() - asked_at).total_seconds()
        if call.route.is_write and waited > self._policy.write_leaves_within_seconds:
            raise stale_call(waited, facts)

    def _headers_of(self, call: Call, token: str, facts: dict[str, object]) -> dict[str, str]:
        headers = {
            **self._headers,
            **call.headers,
            "Authorization": f"Bearer {token}",
            "MS-RequestId": str(facts["request_id"]),
            "MS-CorrelationId": str(facts["correlation_id"]),
        }
        if call.body is not None:
            headers["Content-Type"] = JSON
            headers["Content-Length"] = str(len(call.body))
        if call.etag:
            headers["If-Match"] = call.etag if call.etag.startswith(('"', "W/")) else f'"{call.etag}"'
        return headers

    def _failure(self, call: Call, response: httpx2.Response, facts: dict[str, object]) -> Exception:
        return refused_call(
            response.status_code,
            without_bom(response.content),
            response.headers.get("Retry-After"),
            is_write=call.route.is_write,
            facts=facts,
        )

    def _record(self, call: Call, status: int, seconds: float, facts: dict[str, object]) -> None:
        self.calls[call.route.name] += 1
        if self._options.on_call is not None:
            self._options.on_call(
                CallRecord(
                    tenant_key=self._account.tenant_key,
                    route=call.route.name,
                    status=status,
                    seconds=seconds,
                    request_id=str(facts["request_id"]),
                )
            )

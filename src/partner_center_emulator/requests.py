"""What a handler gets and gives back (wire room): routes, the call, the reply. ``pipeline.py`` has the order of checks.

A resource's ``routes.py`` lists ``ROUTES``: API calls (``Route``, guarded by token, role and throttle) and, for the few
pages without a bearer token, ``Page``. A handler is ``async def read_order(call: Call) -> Reply``; it raises
``ApiError``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from partner_center_emulator.clock import Clock
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.state.people import Cloud
from partner_center_emulator.wire import Json, field
from partner_center_emulator.world import Customer, PartnerTenant, World

if TYPE_CHECKING:
    from partner_center_emulator.emulator import Emulator
    from partner_center_emulator.faults.delivery import Delivery
    from partner_center_emulator.state.behaviour import Fault

Auth = Literal["AO", "AU"]
Audience = Literal["partner", "graph", "retired"]
AGENTS = frozenset({"admin_agent", "sales_agent", "helpdesk_agent", "global_admin"})

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_GUID = "The tenant id must be a GUID."


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: an application alone, or a user through an application; read from a verified access token."""

    tenant_id: str
    app_id: str
    audience: Audience
    expires_at: float  # seconds since 1970 on the emulator's clock
    object_id: str = ""
    upn: str = ""
    roles: frozenset[str] = frozenset()
    has_mfa: bool = False

    @property
    def is_user(self) -> bool:
        """Whether a person signed in (app+user); otherwise it is the application alone (app-only)."""
        return bool(self.object_id)


class Reply(msgspec.Struct, frozen=True):
    """A success: the JSON body (None = no body), the status, extra headers, and whether a BOM comes before the body."""

    body: object
    status: int = 200
    headers: dict[str, str] | None = None
    bom: bool = False


class Call:
    """One authenticated request to the emulated API, as its handler sees it."""

    __slots__ = (
        "_query",
        "_query_string",
        "body",
        "cloud",
        "correlation_id",
        "delivery",
        "emulator",
        "faults",
        "headers",
        "method",
        "path",
        "principal",
        "raw_body",
        "raw_path",
        "request_id",
        "route",
        "tenant",
        "unfinished",
    )

    def __init__(
        self, emulator: Emulator, route: Route, path: dict[str, str], scope_path: str, query_string: bytes
    ) -> None:
        self.emulator = emulator
        self.route = route
        self.method = route.method
        self.path = path  # the path's variables as sent
        self.raw_path = scope_path
        self._query_string = query_string
        self._query: dict[str, str] | None = None
        self.headers: Mapping[str, str] = {}  # names in lower case
        self.raw_body = b""
        self.body: object = None  # the parsed JSON
        self.request_id = ""
        self.correlation_id = ""
        self.cloud: Cloud = "commercial"  # the one the address names; Partner Center's own host is of both
        self.faults: tuple[Fault, ...] = ()  # those of the fault plan that hit this call
        self.delivery: Delivery | None = None  # how the answer leaves, if not as it should
        self.unfinished: tuple[str, ...] = ()  # steps under way that the answer shows (see ``pace``)
        self.tenant: PartnerTenant = cast("PartnerTenant", None)  # set with the principal, before any handler runs
        self.principal: Principal = cast("Principal", None)

    @property
    def world(self) -> World:
        """The pretended state."""
        return self.emulator.world

    @property
    def clock(self) -> Clock:
        """The emulator's clock."""
        return self.emulator.clock

    @property
    def query(self) -> dict[str, str]:
        """The query parameters, names in lower case, the last one wins."""
        if self._query is None:
            pairs = parse_qsl(self._query_string.decode("latin-1"), keep_blank_values=True)
            self._query = {name.lower(): value for name, value in pairs}
        return self._query

    @property
    def query_text(self) -> str:
        """The raw query string, for links that repeat it."""
        return self._query_string.decode("latin-1")

    def field(self, name: str, default: object = None) -> object:
        """Return member ``name`` of the body whatever its case; raises 400 if the body is no JSON object."""
        return field(self.members(), name, default)

    def members(self) -> Json:
        """Return the body as an object; raises 400 code 2000 if it is something else or missing."""
        if not isinstance(self.body, dict):
            raise refusal(2000, "The body must be a JSON object.")
        return cast("Json", self.body)

    def whole_number(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """Return query parameter ``name`` as an integer, cut down to ``most``; raises 400 code 2000 if it is none."""
        text = self.query.get(name)
        if text is None or not text:
            return default
        try:
            number = int(text)
        except ValueError:
            raise refusal(2000, f"The parameter {name} must be a whole number.") from None
        if number < least:
            raise refusal(2000, f"The parameter {name} must be at least {least}.")
        return number if most is None else min(number, most)

    def customer(self) -> Customer:
        """Return the path's customer if this tenant has a relationship with it.

        Raises 400 code 2000 if it is no GUID, 404 code 60003 for an unknown tenant, 403 code 20002 without a
        relationship (core reference 10a.2).
        """
        customer_id = self.path["customer"].lower()
        customer = self.world.customers.get(customer_id)
        if customer is None or customer_id in self.world.people.deleted_customers:
            raise refusal(60003, customer_id) if _GUID.fullmatch(customer_id) else refusal(2000, _NO_GUID)
        if not self.emulator.sees(self.tenant.id, customer_id):
            raise refusal(20002, self.tenant.id, customer_id)
        return customer


Handler = Callable[[Call], Awaitable[Reply]]
PageHandler = Callable[["Emulator", Request], Awaitable[Response]]


class Route(msgspec.Struct, frozen=True):
    """One API call: method, path template, handler, and what stands before the handler.

    ``auth``: "AO" app-only allowed, "AU" only with a user. ``resource``: throttle bucket (None = not throttled).
    ``roles``: a user needs one of them; applications alone have none to check. ``audience``: which token is accepted.
    """

    method: str
    template: str
    handler: Handler
    auth: Auth = "AO"
    resource: str | None = None
    roles: frozenset[str] = AGENTS
    audience: Audience = "partner"

    @property
    def key(self) -> str:
        """Return the name under which calls are counted and behaviour is listed."""
        return f"{self.method} {self.template}"


class Page(msgspec.Struct, frozen=True):
    """A path without bearer token: sign-in, the acceptance page, the control plane."""

    method: str
    template: str
    handler: PageHandler

    @property
    def key(self) -> str:
        """Return the name under which calls are counted and behaviour is listed."""
        return f"{self.method} {self.template}"


__all__ = ["AGENTS", "ApiError", "Call", "Handler", "Page", "PageHandler", "Principal", "Reply", "Route"]

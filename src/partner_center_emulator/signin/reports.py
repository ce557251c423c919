"""Reports on multifactor authentication and roles (core reference 1.6, 1.7): who called how, in the last seven days.

The log is kept per run and not in the world: it is about clients, not about customers.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.graph.models import GROUPS, group_id
from partner_center_emulator.requests import AGENTS, Call, Reply, Route
from partner_center_emulator.wire import Json, collection, self_link
from partner_center_emulator.world import PartnerTenant, PartnerUser, World

KEPT_CALLS = 10_000
KEPT_DAYS = 7
_VARIABLE = re.compile(r"\{(\w+)\}")
_NAMES = {
    "admin_agent": "Admin agent",
    "sales_agent": "Sales agent",
    "helpdesk_agent": "Helpdesk agent",
    "global_admin": "Global admin",
}

behaviour(
    "GET /v1/nonMfaCompliantPartnerPrincipals",
    source="documented",
    page="core 1.6",
    note="Users without a second factor with their newest such call",
)
behaviour(
    "GET /v1/partnerRequests",
    source="documented",
    page="core 1.6",
    note="The newest 10,000 app+user calls of the last seven days with their compliance",
)
behaviour(
    "GET /v1/partnerRequests",
    source="assumed",
    page="core 1.6",
    note="Newest first; the log begins with the run and is no part of a snapshot; portal users without a second factor "
    "are those whose calls lacked it",
)
behaviour("GET /v1/applicationmfaadoptionstatus", source="documented", page="core 1.6", note="A bare array, by day")
behaviour(
    "GET /v1/roles",
    source="assumed",
    page="core 1.7",
    note="Known from community software only; members with role_id",
)

_Entry = tuple[datetime, str, str, str, str, str, str, bool]


class RequestLog:
    """The app+user calls of each partner tenant, oldest first; obtained with ``emulator.derived(RequestLog)``."""

    def __init__(self, _world: World) -> None:
        self.calls: dict[str, deque[_Entry]] = {}


def log(call: Call) -> None:
    """Keep one app+user call; called for every such call, so it only appends."""
    principal = call.principal
    calls = call.emulator.derived(RequestLog).calls
    kept = calls.get(principal.tenant_id)
    if kept is None:
        kept = calls[principal.tenant_id] = deque(maxlen=KEPT_CALLS)
    kept.append(
        (
            call.emulator.clock.now(),
            call.request_id,
            call.correlation_id,
            call.route.key,
            principal.object_id,
            principal.upn,
            principal.app_id,
            principal.has_mfa,
        )
    )


def _recent(call: Call) -> list[_Entry]:
    oldest = call.clock.now() - timedelta(days=KEPT_DAYS)
    kept = call.emulator.derived(RequestLog).calls.get(call.tenant.id, ())
    return [entry for entry in reversed(kept) if entry[0] >= oldest]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"


def _operation(key: str) -> str:
    method, _, template = key.partition(" ")
    path = _VARIABLE.sub(r"{\1_id}", template).replace("/v1/", "/v{version}/", 1)
    return f"{method.capitalize()} {path}"


async def list_requests(call: Call) -> Reply:
    """Return the newest app+user calls of the tenant."""
    rows: list[Json] = [
        {
            "requestId": request_id,
            "correlationId": correlation_id,
            "operationName": _operation(key),
            "requestDateTime": _time(moment),
            "ipAddress": "127.0.0.1",
            "objectId": object_id,
            "tenantId": call.tenant.id,
            "upn": upn,
            "applicationId": app_id,
            "mfaCompliant": compliant,
        }
        for moment, request_id, correlation_id, key, object_id, upn, app_id, compliant in _recent(call)
    ]
    return Reply(collection(rows))


async def list_principals(call: Call) -> Reply:
    """Return the users whose calls lacked the second factor, each with the newest such call."""
    found: dict[str, Json] = {}
    for moment, _, _, _, object_id, upn, _, compliant in _recent(call):
        if not compliant and object_id not in found:
            found[object_id] = {
                "objectId": object_id,
                "tenantId": call.tenant.id,
                "upn": upn,
                "lastNonMfaCompliantRequestDateTime": _time(moment),
            }
    return Reply(collection(found.values()))


async def adoption(call: Call) -> Reply:
    """Return how many calls of each application had the second factor, by day: a bare array."""
    days: dict[tuple[str, str], list[int]] = {}
    for entry in _recent(call):
        counts = days.setdefault((f"{entry[0]:%Y-%m-%dT00:00:00}", entry[6]), [0, 0])
        counts[0] += entry[7]
        counts[1] += 1
    return Reply(
        [
            {
                "loginDate": day,
                "mfaCompliantRequestCount": compliant,
                "totalRequestCount": total,
                "applicationId": app_id,
                "applicationName": f"Application {app_id}",
            }
            for (day, app_id), (compliant, total) in days.items()
        ]
    )


def _role_id(tenant: PartnerTenant, role: str) -> str:
    return group_id(tenant, role) if role in GROUPS else str(uuid5(NAMESPACE_URL, f"{tenant.id}/{role}"))


async def list_roles(call: Call) -> Reply:
    """Return the partner's roles, or with ``role_id`` the users who have one."""
    roles = {_role_id(call.tenant, role): role for role in _NAMES}
    wanted = call.query.get("role_id", "").lower()
    if not wanted:
        rows: list[Json] = [
            {
                "id": role_id,
                "name": _NAMES[role],
                "category": "tenant" if role == "global_admin" else "nontenant",
                "attributes": {"objectType": "Role"},
            }
            for role_id, role in roles.items()
        ]
        return Reply(collection(rows, links=self_link("/roles")))
    if wanted not in roles:
        raise refusal(1000)
    members = [_member(user) for user in call.tenant.users if roles[wanted] in user.roles]
    return Reply(collection(members, links=self_link(f"/roles?role_id={wanted}")))


def _member(user: PartnerUser) -> Json:
    name = user.user_principal_name
    return {
        "id": user.object_id,
        "displayName": name.partition("@")[0],
        "userPrincipalName": name,
        "attributes": {"objectType": "UserMember"},
    }


ROUTES = (
    Route("GET", "/v1/partnerRequests", list_requests, auth="AU", roles=AGENTS),
    Route("GET", "/v1/nonMfaCompliantPartnerPrincipals", list_principals, auth="AU", roles=AGENTS),
    Route("GET", "/v1/applicationmfaadoptionstatus", adoption, auth="AU", roles=AGENTS),
    Route("GET", "/v1/roles", list_roles, auth="AU", roles=AGENTS),
)

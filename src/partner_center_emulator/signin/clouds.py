"""The two clouds (core reference 1.1): where each signs in, which resources it names, and what it cannot do.

The US Government cloud is told apart by the path prefix ``/usgov`` or by a host name that begins with ``usgov.``
(``usgov.localhost``). Partner Center itself has one host for both clouds: there the tenant of the token decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.requests import Request

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import gateway
from partner_center_emulator.state.people import Cloud

if TYPE_CHECKING:
    from partner_center_emulator.emulator import Options
    from partner_center_emulator.requests import Route

PREFIX = "/usgov"
_HOST = "usgov."
_FOLDER = f"{PREFIX}/"

behaviour(
    "clouds",
    source="documented",
    page="core 1.1",
    note="Login and Graph addresses per cloud, Partner Center's address for both; agreements only in the commercial "
    "cloud, no writing of customer users in the US Government cloud",
)
behaviour(
    "clouds",
    source="assumed",
    page="core 1.1",
    note="What a cloud lacks is 404 in form C; relationship requests work in the US Government cloud unless a switch "
    "takes them away; a tenant is unknown (90002) at the other cloud's authority",
)


def split(path: str) -> tuple[Cloud, str]:
    """Return the cloud that the path names, and the path without that name."""
    if path.startswith(_FOLDER):
        return "us_government", path[len(PREFIX) :]
    return "commercial", path


def of_host(cloud: Cloud, host: str) -> Cloud:
    """Return the cloud of a request: the one of its path, unless the host names the other one."""
    return "us_government" if host.startswith(_HOST) else cloud


def of_request(request: Request) -> Cloud:
    """Return the cloud of a request for a page."""
    return of_host(cast("Cloud", request.scope.get("cloud", "commercial")), request.headers.get("host", ""))


def prefix_of(cloud: Cloud) -> str:
    """Return what stands before the paths of the cloud."""
    return PREFIX if cloud == "us_government" else ""


def check_capability(route: Route, options: Options) -> None:
    """Let a call of a US Government tenant pass unless its cloud lacks the route; raises 404 in form C."""
    template = route.template
    lacking = (
        "agreement" in template.lower().replace("/compliance/csp/agreementstatus", "")
        or (route.method != "GET" and "/users" in template and template.startswith("/v1/customers/"))
        or (template.endswith("/relationshiprequests") and not options.gov_relationship_requests)
    )
    if lacking:
        raise gateway(404, "Resource not found")

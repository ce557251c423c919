"""The clouds Microsoft sells through, as values (partnercenter room): hosts, token audiences and what differs.

The Partner Center host does not tell commercial from government; the tenant in the token does (core reference 1.1). So
a cloud is one profile object, and every field can be overridden: that is how the emulator is reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from tenantfold.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Where a cloud's services are and what they can do. URLs carry no trailing slash and no version.

    ``admin_center`` is where customers' administrators work; empty where its address is not known (core reference 8).
    ``audience`` and ``graph_audience`` are what tokens are asked for. ``has_agreements``: the Customer Agreement API
    exists (commercial only, core reference 7). ``has_relationship_requests``: disputed for the government cloud between
    pages, on by default (core reference 1.1).
    """

    name: str
    authority: str
    partner_center: str
    audience: str
    graph: str
    graph_audience: str
    admin_center: str = ""
    has_agreements: bool = True
    has_relationship_requests: bool = True

    def with_overrides(self, overrides: Mapping[str, str | bool]) -> Cloud:
        """This cloud with some fields replaced; ConfigError when a field does not exist or has the wrong kind."""
        known = {field.name for field in fields(self)}
        for name, value in overrides.items():
            if name not in known:
                raise ConfigError(f"A cloud has no setting {name!r}; it has {', '.join(sorted(known))}.", setting=name)
            if type(value) is not type(getattr(self, name)):
                raise ConfigError(f"The cloud setting {name!r} has a value of the wrong kind: {value!r}.", setting=name)
        cleaned = {name: value.rstrip("/") if isinstance(value, str) else value for name, value in overrides.items()}
        return replace(self, **cleaned)  # type: ignore[arg-type]  # names and kinds were checked just above


COMMERCIAL = Cloud(
    name="commercial",
    authority="https://login.microsoftonline.com",
    partner_center="https://api.partnercenter.microsoft.com",
    audience="https://api.partnercenter.microsoft.com",
    graph="https://graph.microsoft.com",
    graph_audience="https://graph.microsoft.com",
    admin_center="https://admin.microsoft.com",
)

US_GOVERNMENT = Cloud(
    name="us_government",
    authority="https://login.microsoftonline.us",
    partner_center="https://api.partnercenter.microsoft.com",
    audience="https://api.partnercenter.microsoft.com",
    graph="https://graph.microsoft.us",
    graph_audience="https://graph.microsoft.us",
    has_agreements=False,
)

CLOUDS: Mapping[str, Cloud] = {cloud.name: cloud for cloud in (COMMERCIAL, US_GOVERNMENT)}


def cloud_named(name: str) -> Cloud:
    """The cloud with this name; ConfigError that lists the known ones when there is none."""
    cloud = CLOUDS.get(name)
    if cloud is None:
        raise ConfigError(f"There is no cloud {name!r}; known are {', '.join(CLOUDS)}.", setting="cloud")
    return cloud


def one_host(base_url: str, *, name: str = "emulator") -> Cloud:
    """A cloud whose sign-in, Partner Center and Graph (under ``/graph``) are all served at one address."""
    base = base_url.rstrip("/")
    return Cloud(
        name=name,
        authority=base,
        partner_center=base,
        audience=base,
        graph=f"{base}/graph",
        graph_audience=f"{base}/graph",
        admin_center=base,
    )

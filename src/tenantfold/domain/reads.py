"""What a read of Partner Center yields: a value beside the document it came from, pages, and who we are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from tenantfold.domain.model import TenantId

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a collection, with the link to the next one as opaque text (None on the last page)."""

    items: tuple[T, ...]
    next_link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[T]):
    """A value and the JSON document it was read from: unknown members survive in it, and PATCH sends it back."""

    value: T
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerIdentity:
    """Who we are signed in as: the organization behind the token and the user's Partner Center roles."""

    tenant_id: TenantId
    company_name: str
    country: str
    currency: str
    partner_id: str
    roles: frozenset[
        str
    ]  # group names as found: "AdminAgents", "SalesAgents", "HelpdeskAgents", "Global administrator"
    user_name: str

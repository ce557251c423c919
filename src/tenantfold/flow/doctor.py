"""Use case 0: is everything there that a consolidation needs? Reads only; one bad tenant does not hide the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tenantfold.domain.facts import BillingModel
from tenantfold.domain.model import Tenant, TenantId, TenantRole
from tenantfold.domain.reads import PartnerIdentity
from tenantfold.domain.regions import RegionMap
from tenantfold.errors import ConfigError, PartnerCenterError
from tenantfold.flow.inventory import check_identity
from tenantfold.flow.looking_up import UNREADABLE
from tenantfold.flow.partner_center import PartnerCenter

ADMIN_ROLES = frozenset({"AdminAgents", "Global administrator"})  # S-10: require Admin agent, accept Global admin
LARGE_OFFSET_SECONDS = 60.0


class Verdict(StrEnum):
    """How a check ended."""

    GOOD = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    verdict: Verdict
    subject: str
    detail: str
    next_step: str = ""


class OffsetClock(Protocol):
    """A clock that knows how far the machine's clock is off."""

    @property
    def offset_seconds(self) -> float:
        """Seconds the server is ahead of this machine."""
        ...


async def examine(
    tenants: Sequence[Tenant],
    centers: Mapping[TenantId, PartnerCenter],
    regions: RegionMap,
    clock: OffsetClock,
    billing_models: Mapping[TenantId, BillingModel],
) -> list[Check]:
    """Sign in to every tenant and check what it needs to be for its side of the fold."""
    checks: list[Check] = []
    identities: dict[TenantId, PartnerIdentity] = {}
    for tenant in tenants:
        subject = f"tenant '{tenant.key}'"
        try:
            identity = await centers[tenant.id].identity()
            check_identity(tenant, identity)
            checks.append(Check(Verdict.GOOD, subject, f"signed in to {identity.company_name} as {identity.user_name}"))
            checks.append(_role(subject, identity))
            if tenant.role is TenantRole.TARGET:
                checks.append(await _invitations(subject, centers[tenant.id]))
                checks += await _resellers(subject, centers[tenant.id], billing_models.get(tenant.id))
            identities[tenant.id] = identity
        except (PartnerCenterError, ConfigError) as error:
            checks.append(Check(Verdict.FAILED, subject, error.message, error.next_step))
    return [*checks, *_regions(tenants, identities, regions), _clock(clock.offset_seconds)]


def _role(subject: str, identity: PartnerIdentity) -> Check:
    if identity.roles & ADMIN_ROLES:
        return Check(Verdict.GOOD, subject, f"role: {', '.join(sorted(identity.roles))}")
    held = ", ".join(sorted(identity.roles)) or "none"
    return Check(
        Verdict.FAILED,
        subject,
        f"{identity.user_name or 'the app alone'} lacks the role Admin agent (roles: {held})",
        "Add the user to the AdminAgents group of this partner tenant, sign in again and renew the refresh token.",
    )


async def _invitations(subject: str, center: PartnerCenter) -> Check:
    await center.relationship_url()
    return Check(Verdict.GOOD, subject, "can request relationships with customers")


async def _resellers(subject: str, center: PartnerCenter, model: BillingModel | None) -> list[Check]:
    """Whether the target's resellers and its setting agree: the setting decides which links are written (R-220)."""
    is_provider = model is BillingModel.INDIRECT_PROVIDER
    try:
        active = sum(1 for one in await center.resellers() if one.is_active)
    except UNREADABLE as error:  # a direct-bill partner may not be answered at all
        said = f"is set as an indirect provider, but its resellers cannot be read: {error.message}"
        return [Check(Verdict.FAILED, subject, said, error.next_step)] if is_provider else []
    if is_provider:
        return [Check(Verdict.GOOD, subject, f"indirect provider of {active} active reseller(s)")]
    if not active:
        return []
    said = f"has {active} indirect reseller(s), but target.billing_model does not say indirect_provider"
    how = 'Set target.billing_model = "indirect_provider", so that invitations name the customer\'s reseller.'
    return [Check(Verdict.WARNING, subject, said, how)]


def _regions(
    tenants: Sequence[Tenant], identities: Mapping[TenantId, PartnerIdentity], regions: RegionMap
) -> list[Check]:
    """A fold stays inside one CSP region (R-75)."""
    target = identities.get(tenants[-1].id)
    if target is None:
        return []
    checks = []
    for tenant in tenants[:-1]:
        identity = identities.get(tenant.id)
        if identity is not None and not regions.same_region(identity.country, target.country):
            checks.append(
                Check(
                    Verdict.FAILED,
                    f"tenant '{tenant.key}'",
                    f"is in {identity.country}, outside the region of the target ({target.country})",
                    "A consolidation cannot cross CSP regions: leave this tenant out.",
                )
            )
    return checks or [Check(Verdict.GOOD, "region", f"all tenants lie in {regions.region_of(target.country)}")]


def _clock(offset: float) -> Check:
    detail = f"this machine is {abs(offset):.0f} s {'behind' if offset >= 0 else 'ahead of'} Partner Center"
    if abs(offset) < LARGE_OFFSET_SECONDS:
        return Check(Verdict.GOOD, "clock", detail)
    return Check(Verdict.WARNING, "clock", detail, "Nothing breaks: tenantfold follows Partner Center's clock.")

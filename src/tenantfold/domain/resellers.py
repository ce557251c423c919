"""Whose customer somebody stays: the indirect reseller behind a customer of an indirect provider (R-207, R-220).

Pure: the plan's items name resellers by their partner location id, the provider's partnerships tell their tenants.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tenantfold.domain.model import CustomerId, TenantId
from tenantfold.domain.plan import PlanCustomer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseller:
    """One indirect reseller of the provider we are signed in as; ``is_active`` is the state of the partnership."""

    tenant_id: TenantId
    partner_id: str
    name: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLink:
    """Why no relationship link can be written for a customer, and what a person does about it."""

    customer_id: CustomerId
    company_name: str
    detail: str
    next_action: str


def reseller_of(customer: PlanCustomer, resellers: Iterable[Reseller]) -> Reseller | NoLink | None:
    """The reseller whose customer it stays; None for a customer that has none.

    The link names one reseller, and the customer accepts it with the provider: with several on record, or one that is
    no active reseller of the provider, no link is right, and none is guessed.
    """
    wanted = sorted({item.partner_id_on_record for item in customer.items if item.is_carried_out} - {""})
    if not wanted:
        return None
    if len(wanted) > 1:
        return _no_link(
            customer,
            f"Its subscriptions name {len(wanted)} resellers ({', '.join(wanted)}), and a link names one.",
            "Send it the link of each of them from the target's Partner Center.",
        )
    found = [one for one in resellers if one.partner_id == wanted[0]]
    active = next((one for one in found if one.is_active), None)
    if active is not None:
        return active
    known = f"{found[0].name} ({wanted[0]}), whose partnership is not active" if found else f"{wanted[0]}, unknown"
    return _no_link(
        customer,
        f"Its reseller on record is no active indirect reseller of the target: {known}.",
        "Invite the reseller to the target in Partner Center, or correct the partner on record at the source and take "
        "inventory again; then: tenantfold invite",
    )


def _no_link(customer: PlanCustomer, detail: str, next_action: str) -> NoLink:
    return NoLink(
        customer_id=customer.customer_id, company_name=customer.company_name, detail=detail, next_action=next_action
    )

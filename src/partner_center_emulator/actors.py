"""People outside the partner (world room): today the customers' admins, who are asked for a relationship.

The control plane tells the actors that "the customer got the mail"; what they then do is in each customer's
``Acceptance`` or is set by the request. Waiting happens on the emulator's clock only.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.relationships import models as relationships
from partner_center_emulator.relationships.models import Refused
from partner_center_emulator.world import Acceptance, Customer, PartnerTenant

Kind = Literal["now", "after", "never", "preset"]


class Unwilling(msgspec.Struct, kw_only=True):
    """A customer that cannot accept, and why (a ``Refused`` value)."""

    customer_id: str
    company_name: str
    reason: str


class Asked(msgspec.Struct, kw_only=True):
    """What came of asking: how many accepted at once, will accept, never will, had accepted before, and cannot."""

    asked: int = 0
    accepted: int = 0
    scheduled: int = 0
    never: int = 0
    already: int = 0
    refused: list[Unwilling] = []


def ask(
    emulator: Emulator,
    tenant: PartnerTenant,
    customers: Iterable[Customer],
    kind: Kind = "preset",
    after_seconds: float = 0.0,
) -> Asked:
    """Let the customers' admins learn of the tenant's relationship request.

    ``kind`` "preset" keeps each customer's own ``Acceptance``; any other is written over it. ``after_seconds`` counts
    on the emulator's clock from now and belongs to "after".
    """
    result = Asked()
    for customer in customers:
        if kind != "preset":
            customer.acceptance = Acceptance(kind=kind, after_seconds=after_seconds if kind == "after" else 0.0)
        _ask_one(emulator, tenant, customer, result)
    return result


def _ask_one(emulator: Emulator, tenant: PartnerTenant, customer: Customer, result: Asked) -> None:
    now = emulator.clock.now()
    acceptance = customer.acceptance
    acceptance.asked_at = acceptance.asked_at or now
    result.asked += 1
    reason = relationships.obstacle(emulator, tenant, customer, is_global_admin=customer.admin_is_global_admin)
    if reason is Refused.ALREADY_CUSTOMER:
        result.already += 1
    elif reason is not None:
        result.refused.append(
            Unwilling(customer_id=customer.id, company_name=customer.company_name, reason=reason.value)
        )
    elif acceptance.kind == "never":
        emulator.world.pending_acceptances.pop(f"{tenant.id}/{customer.id}", None)
        result.never += 1
    elif acceptance.kind == "now":
        relationships.accept(emulator, tenant, customer, is_global_admin=True)
        result.accepted += 1
    else:
        # a reminder does not make anybody slower: the time counts from the first time this customer was asked
        due = acceptance.asked_at + timedelta(seconds=acceptance.after_seconds)
        relationships.expect_acceptance(emulator, tenant, customer, max(due, now))
        result.scheduled += 1

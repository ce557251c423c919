"""The customers' admins (world room), who are asked for a relationship: early, late, never, wrong, or when reminded.

The control plane tells the actors that "the customer got the mail"; what they then do is in each customer's
``Acceptance`` or is set by the request. Waiting happens on the emulator's clock only. An attempt that is refused is in
the truth ledger as ``relationship.refused``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.relationships import models as relationships
from partner_center_emulator.relationships.models import Refused
from partner_center_emulator.world import Acceptance, Customer, PartnerTenant

Kind = Literal["now", "after", "never", "early", "after_reminder", "wrong_role", "preset", "reminder"]


class Unwilling(msgspec.Struct, kw_only=True):
    """A customer that cannot accept, and why (a ``Refused`` value)."""

    customer_id: str
    company_name: str
    reason: str


class Asked(msgspec.Struct, kw_only=True):
    """What came of asking: how many accepted at once, will accept, never will, had accepted before, and cannot.

    ``waiting`` are those who will not move before a reminder.
    """

    asked: int = 0
    accepted: int = 0
    scheduled: int = 0
    waiting: int = 0
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

    ``kind`` "preset" keeps each customer's own ``Acceptance``, "reminder" is the second mail and keeps it as well; any
    other is written over it. "early" is a customer that found the link before it was asked. ``after_seconds`` counts on
    the emulator's clock: from the first mail for "after", from the reminder for "after_reminder" and "wrong_role", from
    now for "early".
    """
    result = Asked()
    for customer in customers:
        if kind == "reminder":
            _remind(emulator, tenant, customer, result)
            continue
        if kind != "preset":
            waits = 0.0 if kind in {"now", "never"} else after_seconds
            asked_at = customer.acceptance.asked_at if kind == "early" else None
            customer.acceptance = Acceptance(kind=kind, after_seconds=waits, asked_at=asked_at)
        _ask(emulator, tenant, customer, result)
    return result


def _ask(emulator: Emulator, tenant: PartnerTenant, customer: Customer, result: Asked) -> None:
    now = emulator.clock.now()
    acceptance = customer.acceptance
    if acceptance.kind != "early":
        acceptance.asked_at = acceptance.asked_at or now
    result.asked += 1
    if _cannot(emulator, tenant, customer, result):
        return
    if acceptance.kind == "wrong_role":
        _refuse(emulator, tenant, customer, Refused.NOT_GLOBAL_ADMIN, result)
    elif acceptance.kind == "after_reminder" and acceptance.reminded_at is None:
        emulator.world.pending_acceptances.pop(f"{tenant.id}/{customer.id}", None)
        result.waiting += 1
    elif acceptance.kind == "never":
        emulator.world.pending_acceptances.pop(f"{tenant.id}/{customer.id}", None)
        result.never += 1
    else:
        # a second mail does not make anybody slower: the time counts from the first time this customer was asked
        since = acceptance.reminded_at or acceptance.asked_at or now
        _accept_at(emulator, tenant, customer, since + timedelta(seconds=acceptance.after_seconds), result)


def _remind(emulator: Emulator, tenant: PartnerTenant, customer: Customer, result: Asked) -> None:
    """The second mail: those who waited for it and those who sent the wrong person get going, nobody gets slower."""
    acceptance = customer.acceptance
    if acceptance.kind not in {"after_reminder", "wrong_role"}:
        _ask(emulator, tenant, customer, result)
        return
    now = emulator.clock.now()
    acceptance.asked_at = acceptance.asked_at or now
    acceptance.reminded_at = acceptance.reminded_at or now
    result.asked += 1
    if not _cannot(emulator, tenant, customer, result):
        due = acceptance.reminded_at + timedelta(seconds=acceptance.after_seconds)
        _accept_at(emulator, tenant, customer, due, result)


def _accept_at(emulator: Emulator, tenant: PartnerTenant, customer: Customer, due: datetime, result: Asked) -> None:
    now = emulator.clock.now()
    if customer.acceptance.kind != "after" and customer.acceptance.after_seconds <= 0:
        relationships.accept(emulator, tenant, customer, is_global_admin=True)
        result.accepted += 1
        return
    relationships.expect_acceptance(emulator, tenant, customer, max(due, now))
    result.scheduled += 1


def _cannot(emulator: Emulator, tenant: PartnerTenant, customer: Customer, result: Asked) -> bool:
    reason = relationships.obstacle(emulator, tenant, customer, is_global_admin=customer.admin_is_global_admin)
    if reason is Refused.ALREADY_CUSTOMER:
        result.already += 1
    elif reason is not None:
        _refuse(emulator, tenant, customer, reason, result)
    return reason is not None


def _refuse(emulator: Emulator, tenant: PartnerTenant, customer: Customer, reason: Refused, result: Asked) -> None:
    emulator.record(
        "relationship.refused",
        tenant_id=tenant.id,
        customer_id=customer.id,
        subject_id=customer.id,
        after={"reason": reason.value},
    )
    result.refused.append(Unwilling(customer_id=customer.id, company_name=customer.company_name, reason=reason.value))

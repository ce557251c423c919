"""Behaviour of reservations and savings plans (model room, R-167, R-168)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from partner_center_emulator.azure.index import record
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.azure import Benefit, BenefitKind
from partner_center_emulator.subscriptions.months import add_months
from partner_center_emulator.transfers.placing import end_of
from partner_center_emulator.world import Customer, PartnerTenant

_MONTHS = {"P1M": 1, "P1Y": 12, "P3Y": 36}


class BenefitWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to buy; ``subscription_id`` is the Azure subscription it is scoped to."""

    kind: BenefitKind = "reservation"
    name: str = ""
    is_monthly: bool = False
    term: str = "P1Y"
    quantity: int = 1
    subscription_id: str | None = None


def add_benefit(emulator: Emulator, tenant: PartnerTenant, customer: Customer, wish: BenefitWish) -> Benefit:
    """Create a reservation or savings plan that starts now; raises ValueError for an unknown term."""
    if wish.term not in _MONTHS:
        raise ValueError(f"There is no term {wish.term}.")
    now = emulator.clock.now()
    is_reservation = wish.kind == "reservation"
    benefit = Benefit(
        id=emulator.next_id(wish.kind),
        customer_id=customer.id,
        tenant_id=tenant.id,
        kind=wish.kind,
        name=wish.name or ("Reserved VM Instance, Standard_D2s_v3" if is_reservation else "Compute savings plan"),
        order_id=emulator.next_id("benefit order"),
        product_id="DZH318Z0BQ4L" if is_reservation else "DZH318Z08B81",
        sku_id="0001",
        created_at=now,
        ends_at=end_of(add_months(now.date(), _MONTHS[wish.term]) - timedelta(days=1)),
        currency=tenant.currency,
        quantity=wish.quantity,
        term=wish.term,
        is_monthly=wish.is_monthly,
        subscription_id=wish.subscription_id,
    )
    emulator.world.azure.benefits[benefit.id] = benefit
    record(emulator, benefit, "benefit.created", {}, {"status": benefit.status, "kind": benefit.kind}, "")
    _arm_benefit(emulator, benefit)
    return benefit


def move_benefit(emulator: Emulator, benefit: Benefit, tenant: PartnerTenant, request_id: str) -> None:
    """Move a reservation or savings plan to another partner tenant.

    Paid by the month in another billing currency, it is cancelled at the next billing cycle (R-168).
    """
    before: dict[str, object] = {"tenant_id": benefit.tenant_id}
    benefit.tenant_id = tenant.id
    if benefit.is_monthly and benefit.currency != tenant.currency:
        benefit.cancels_at = _next_cycle(benefit, emulator.clock.now())
        _arm_benefit(emulator, benefit)
    elif not benefit.is_monthly:
        benefit.currency = tenant.currency
    record(emulator, benefit, "benefit.moved", before, {"tenant_id": tenant.id}, request_id)


def set_benefit_status(emulator: Emulator, benefit: Benefit, status: str, request_id: str) -> None:
    """Set the status of a reservation or savings plan and record it; raises ValueError for an unknown one."""
    if status not in ("active", "inactive", "cancelled", "expired"):
        raise ValueError(f"A reservation or savings plan cannot be {status}.")
    before = benefit.status
    benefit.status = status  # type: ignore[assignment]  # one of the four, just checked
    benefit.cancels_at = None
    record(emulator, benefit, "benefit.changed", {"status": before}, {"status": status}, request_id)


def rearm(emulator: Emulator) -> None:
    """Put the ends of all reservations and savings plans on the clock."""
    for benefit in emulator.world.azure.benefits.values():
        _arm_benefit(emulator, benefit)


def _arm_benefit(emulator: Emulator, benefit: Benefit) -> None:
    if benefit.status != "active":
        return
    due = benefit.cancels_at or benefit.ends_at
    status = "cancelled" if benefit.cancels_at else "expired"

    def end() -> None:
        if benefit.status == "active" and due == (benefit.cancels_at or benefit.ends_at):
            set_benefit_status(emulator, benefit, status, "")

    emulator.clock.at(due, f"{benefit.kind} ends: {benefit.id}", end)


def _next_cycle(benefit: Benefit, now: datetime) -> datetime:
    """Return when the next monthly charge of a benefit is due: the day of the month on which it was bought."""
    months = 1
    while (due := end_of(add_months(benefit.created_at.date(), months))) <= now:
        months += 1
    return due

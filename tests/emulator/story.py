"""A teller of stories for the ledger: what existed, what the partner, the portal and the clock did, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from partner_center_emulator.catalog import catalog_offers, offer_by_name
from partner_center_emulator.ledger import LedgerReport, judge
from partner_center_emulator.world import StateChange, Subscription
from tests.emulator.small_world import ALFA, SE, START, TARGET, small_world

NO = "11111111-0000-4000-8000-000000000002"
E3, POWER_BI, E1 = "Office 365 Enterprise E3", "Power BI Pro", "Office 365 Enterprise E1"
SHIFT, BUSINESS = "Microsoft 365 Business Shift Campaign - 15%", "Microsoft 365 Business"
AUDIO, PROTECTION = "Audio Conferencing", "Office 365 Advanced Threat Protection"
TRIAL = "Office 365 Enterprise E5 Trial"

_TENANTS = {"se": SE, "no": NO, "target": TARGET}


class Story:
    """A world in which one thing happens after the other; ids are short words."""

    def __init__(self) -> None:
        self.world = small_world()
        self.world.offers = catalog_offers()
        norway = msgspec.structs.replace(self.world.partner_tenants[SE], id=NO, key="no")
        self.world.partner_tenants[NO] = norway
        self.now = START
        self._calls = 0

    def at(self, text: str) -> Story:
        """Go on at ``"03-02 09:00"`` of 2026, UTC."""
        self.now = datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)
        return self

    def had(
        self,
        name: str,
        quantity: int,
        offer: str = E3,
        *,
        tenant: str = "se",
        status: str = "active",
        parent: str | None = None,
        customer: str = ALFA,
        cycle: str = "monthly",
        reseller: str | None = None,
    ) -> Story:
        """Put a subscription into the world that existed before its clock started."""
        row = offer_by_name(self.world.offers, offer)
        self.world.subscriptions[name] = Subscription(
            id=name,
            tenant_id=_TENANTS[tenant],
            customer_id=customer,
            offer_id=row.id,
            offer_name=row.name,
            friendly_name=row.name,
            quantity=quantity,
            status=status,
            order_id=f"order-{name}",
            created_at=START,
            effective_start=START.date(),
            commitment_end=START.date(),
            billing_cycle=cycle,
            is_trial=row.is_trial,
            parent_subscription_id=parent,
            partner_id_on_record=reseller,
        )
        return self

    def creates(
        self,
        name: str,
        quantity: int,
        offer: str = E3,
        *,
        parent: str | None = None,
        customer: str = ALFA,
        cycle: str = "monthly",
        reseller: str | None = None,
    ) -> Story:
        """Let the partner create a subscription at the target."""
        self.had(
            name, quantity, offer, tenant="target", parent=parent, customer=customer, cycle=cycle, reseller=reseller
        )
        self._record("subscription.created", name, {}, by_partner=True)
        return self

    def suspends(self, *names: str) -> Story:
        """Let the partner suspend subscriptions, one call after the other."""
        for name in names:
            self._set(name, by_partner=True, status="suspended")
        return self

    def activates(self, name: str) -> Story:
        """Let the partner reactivate a subscription."""
        return self._set(name, by_partner=True, status="active")

    def sets(self, name: str, quantity: int) -> Story:
        """Let the partner change a license count."""
        return self._set(name, by_partner=True, quantity=quantity)

    def portal(self, name: str, **members: object) -> Story:
        """Let somebody change a subscription in the portal."""
        return self._set(name, by_partner=False, **members)

    def clock(self, name: str, status: str) -> Story:
        """Let the clock end a subscription."""
        return self._set(name, by_partner=False, status=status)

    def judged(self, customer: str | None = None, *, detail: bool = False) -> LedgerReport:
        """Return the ledger's verdict as of now."""
        return judge(self.world, self.now, customer, detail=detail)

    def _set(self, name: str, *, by_partner: bool, **members: object) -> Story:
        subscription = self.world.subscriptions[name]
        before = {"status": subscription.status, "quantity": subscription.quantity}
        for member, value in members.items():
            setattr(subscription, member, value)
        self._record("subscription.changed", name, before, by_partner=by_partner)
        return self

    def _record(self, what: str, name: str, before: dict[str, object], *, by_partner: bool) -> None:
        subscription = self.world.subscriptions[name]
        self._calls += 1
        self.world.changes.append(
            StateChange(
                at=self.now,
                wall_at=self.now,
                what=what,
                tenant_id=subscription.tenant_id,
                customer_id=subscription.customer_id,
                subject_id=name,
                request_id=f"call-{self._calls}" if by_partner else "",
                before=before,
                after={"status": subscription.status, "quantity": subscription.quantity},
            )
        )


def moved_story() -> Story:
    """Return the plain story: created, then suspended on the same day."""
    return Story().had("s1", 10).at("03-02 09:00").creates("t1", 10).at("03-02 09:05").suspends("s1").at("03-05 12:00")

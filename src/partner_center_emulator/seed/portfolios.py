"""What the customers of a mixed world hold (seed room): one portfolio for everything that is different in a move.

``Mixer.add`` makes a customer with a portfolio; the customers of one mixer depend on its seed and their names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from random import Random

import msgspec

from partner_center_emulator.catalog import offer_by_name
from partner_center_emulator.seed.azure import Reserved, put_legacy_azure, put_plan, put_reservation
from partner_center_emulator.seed.generator import Domains, add_customer, relate
from partner_center_emulator.seed.modern import Modern, put_modern
from partner_center_emulator.seed.portfolio import Holding, hold, new_guid
from partner_center_emulator.state.commerce import NewOrder, NewOrderLine
from partner_center_emulator.world import Acceptance, Customer, Order, OrderLine, PartnerTenant, Subscription, World

GONE_TO_OFFER = "Microsoft 365 Business Shift Campaign - 15%"  # another legacy offer is sold in its place
GONE_TO_SKU = "Office 365 Business Premium Shift Campaign - 15%"  # only new commerce follows it
NOT_SOLD = "Skype for Business Online (Plan 2)"  # nothing follows it
NOT_TRANSFERABLE = "CFQ7TTC0LH0L:0001"  # Exchange Online Kiosk, in this world
UNKNOWN_STATUS = "pending_review_hold"
LATE_SECONDS = 30 * 3600.0
_E3, _E5, _M365_E3, _VISIO_1 = "CFQ7TTC0LF8R:0001", "CFQ7TTC0LF8S:0001", "CFQ7TTC0LFLX:0001", "CFQ7TTC0HD33:0003"
_PREMIUM, _AUDIO, _DEFENDER = "CFQ7TTC0LCHC:0001", "CFQ7TTC0LHXH:0001", "CFQ7TTC0LH04:0001"
_POWER_BI, _PROJECT_3, _EXCHANGE_1 = "CFQ7TTC0H6B7:0001", "CFQ7TTC0HDB0:0002", "CFQ7TTC0LH16:0001"
_TRIAL, _SOFTWARE, _SAAS = "CFQ7TTC0LF8S:0002", "DG7GMGF0DVSZ:0001", "DZH318Z0BXWC:0002"
_PERPETUAL = "DG7GMGF0FLR2:0002"
_PROMOTION = "39NFJQT1PM6C:0005:39NFJQT1Q5L7"  # a year of Business Premium, paid by the month
_MODERN = (_E3, _M365_E3, _POWER_BI, _PROJECT_3, _EXCHANGE_1, _VISIO_1)
_PLANS = (("P1Y", "monthly"), ("P1Y", "monthly"), ("P1Y", "annual"), ("P1M", "monthly"))
_LEGACY = (
    "Office 365 Enterprise E3", "Office 365 Enterprise E1", "Microsoft 365 E3", "Exchange Online (Plan 1)",
    "Power BI Pro", "Visio Online Plan 2", "Project Online Professional", "Enterprise Mobility + Security E3",
)  # fmt: skip
_ADD_ONS = (
    "Exchange Online Archiving for Exchange Online", "Audio Conferencing", "Office 365 Extra File Storage",
    "Office 365 Advanced Threat Protection",
)  # fmt: skip


class Portfolio(StrEnum):
    """What a customer is like."""

    LEGACY = "legacy licenses, some with add-ons"
    LEGACY_SUSPENDED = "a suspended legacy license beside an active one"
    LEGACY_GONE = "a legacy offer that is gone, with another in its place"
    LEGACY_GONE_TO_SKU = "a legacy offer that is gone, with new commerce in its place"
    LEGACY_GONE_FOR_GOOD = "a legacy offer that is gone, with nothing in its place"
    MODERN = "new-commerce licenses of a month, a year, three years"
    MODERN_ADD_ON = "a new-commerce add-on beside its base"
    PROMOTION = "a new-commerce license with a promotion"
    OPEN_WINDOW = "a new-commerce license that may still be cancelled"
    SEAT_POOL = "more than half of a pooled seat maximum"
    NOT_TRANSFERABLE = "a new-commerce license that cannot be transferred"
    EXPIRED = "an expired new-commerce license in its days of grace"
    SUSPENDED = "a suspended new-commerce license"
    TRIAL = "a new-commerce trial"
    AZURE = "an Azure plan"
    RESERVATIONS = "an Azure plan with reservations"
    RESERVATION_OFF = "an Azure plan with an inactive reservation"
    MARKETPLACE = "licenses, and an Azure plan with marketplace products below it"
    LEGACY_AZURE = "legacy usage-based Azure"
    SOFTWARE = "a software subscription"
    PERPETUAL = "perpetual software"
    SAAS = "a marketplace subscription"
    UNKNOWN_STATUS = "a subscription in a status nobody knows"
    TWO_SOURCES = "subscriptions at two source tenants"
    AT_TARGET = "a part at the target already"
    NEVER_ACCEPTS = "never accepts"
    ACCEPTS_LATE = "accepts late"
    BOTH_GENERATIONS = "legacy and new-commerce licenses"
    EVERYTHING = "legacy, new commerce and Azure together"
    NOTHING = "nothing that could move"
    OUTSIDE_REGION = "in another region than the target"


class Kind(StrEnum):
    """What one subscription is; the value stands in ``World.labels``."""

    LEGACY = "legacy"
    LEGACY_ADD_ON = "legacy add-on"
    LEGACY_OFF = "legacy, suspended or deleted"
    LEGACY_GONE = "legacy, offer gone, mapped"
    LEGACY_GONE_TO_SKU = "legacy, offer gone, mapped to new commerce"
    LEGACY_GONE_FOR_GOOD = "legacy, offer gone, not mapped"
    LICENSE = "license"
    NOT_TRANSFERABLE = "license that cannot be transferred"
    EXPIRED = "expired license"
    SUSPENDED = "suspended license"
    TRIAL = "trial"
    AZURE_PLAN = "Azure plan"
    LEGACY_AZURE = "legacy Azure"
    SOFTWARE = "software"
    SAAS = "marketplace"
    UNKNOWN_STATUS = "unknown status"


class Mixer:
    """Puts customers into a mixed world. ``world`` is complete at any time."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self._seed = seed
        self._domains = Domains()
        self._tenants = {tenant.key: tenant for tenant in world.partner_tenants.values()}

    def tenant(self, key: str) -> PartnerTenant:
        """Return the partner tenant with this short name; KeyError if there is none."""
        return self._tenants[key]

    def add(self, portfolio: Portfolio, source: str, name: str) -> Customer:
        """Put a customer of a source tenant into the world and return it."""
        rng = Random(f"mixed customer/{self._seed}/{name}")
        tenant = self.tenant(source)
        customer = add_customer(self.world, rng, tenant, name, self._domains)
        self.world.labels[customer.id] = portfolio.name
        _Making(self, rng, tenant, customer).make(portfolio)
        return customer


class _Making:
    """One customer while it is made."""

    def __init__(self, mixer: Mixer, rng: Random, tenant: PartnerTenant, customer: Customer) -> None:
        self.mixer = mixer
        self.world = mixer.world
        self.rng = rng
        self.tenant = tenant
        self.customer = customer

    def make(self, portfolio: Portfolio) -> None:
        """Give the customer what its portfolio says."""
        _MAKERS[portfolio](self)

    # --- single things -----------------------------------------------------------------------------------------------

    def legacy(self, *names: str, kind: Kind = Kind.LEGACY, status: str = "active") -> None:
        """Legacy licenses of these offers, some with an add-on."""
        for name in names:
            offer = offer_by_name(self.world.offers, name)
            holding = Holding(
                offer=offer,
                quantity=self.rng.randint(2, 60),
                status=status,
                billing_cycle=self.rng.choice(("monthly", "annual")),
            )
            add_ons = [offer_by_name(self.world.offers, one) for one in _ADD_ONS]
            fitting = [one for one in add_ons if offer.id in one.prerequisite_offers]
            if kind is Kind.LEGACY and fitting and self.rng.random() < 0.5:  # noqa: PLR2004 - half of them
                holding.add_ons.append(Holding(offer=self.rng.choice(fitting), quantity=holding.quantity))
            self.hold(self.tenant, holding, kind)

    def hold(self, tenant: PartnerTenant, holding: Holding, kind: Kind) -> None:
        """One legacy holding with its add-ons, labeled."""
        before = set(self.world.subscriptions)
        hold(self.world, self.rng, tenant, self.customer.id, [holding])
        for key in self.world.subscriptions.keys() - before:
            is_add_on = self.world.subscriptions[key].parent_subscription_id is not None
            self.world.labels[key] = (Kind.LEGACY_ADD_ON if is_add_on else kind).name

    def some_legacy(self, most: int = 3) -> None:
        """One to ``most`` legacy licenses."""
        self.legacy(*self.rng.sample(_LEGACY, self.rng.randint(1, most)))

    def modern(self, key: str, kind: Kind = Kind.LICENSE, **members: object) -> Subscription:
        """One new-commerce subscription."""
        wish = {"key": key, "quantity": self.rng.randint(2, 60), "bought_days": self.rng.randint(10, 300), **members}
        made = put_modern(self.world, self.rng, self.tenant, self.customer.id, msgspec.convert(wish, Modern))
        self.world.labels[made.id] = kind.name
        return made

    def some_modern(self, most: int = 3) -> None:
        """One to ``most`` new-commerce licenses of different terms."""
        for key in self.rng.sample(_MODERN, self.rng.randint(1, most)):
            duration, cycle = self.rng.choice(_PLANS)
            self.modern(key, duration=duration, cycle=cycle)

    def azure(self, subscriptions: int = 0) -> Subscription:
        """An Azure plan with one to three Azure subscriptions."""
        count = subscriptions or self.rng.randint(1, 3)
        plan = put_plan(self.world, self.rng, self.tenant, self.customer, subscriptions=count)
        self.world.labels[plan.id] = Kind.AZURE_PLAN.name
        return plan

    def reserve(self, *wishes: Reserved) -> None:
        """Reservations beside the plan."""
        for wish in wishes:
            put_reservation(self.world, self.rng, self.tenant, self.customer, wish)

    def legacy_azure(self, count: int = 1) -> None:
        """Usage-based subscriptions of the old kind."""
        for number in range(count):
            name = "Microsoft Azure" if not number else f"Microsoft Azure {number + 1}"
            made = put_legacy_azure(self.world, self.rng, self.tenant, self.customer, name)
            self.world.labels[made.id] = Kind.LEGACY_AZURE.name

    def perpetual(self) -> None:
        """An order of perpetual software: it has no subscription, and nothing of it ever moves (R-151)."""
        made = self.world.started_at - timedelta(days=self.rng.randint(60, 800))
        product_id, _, sku_id = _PERPETUAL.partition(":")
        order_id = new_guid(self.rng).replace("-", "")[-12:]
        line = OrderLine(line_item_number=0, offer_id=f"{_PERPETUAL}:DG7GMGF0K8VN", quantity=2, friendly_name="Office")
        self.world.orders[order_id] = Order(
            id=order_id,
            tenant_id=self.tenant.id,
            customer_id=self.customer.id,
            billing_cycle="one_time",
            currency=self.tenant.currency,
            currency_symbol=self.tenant.currency_symbol,
            created_at=made,
            lines=[line],
        )
        row = NewOrderLine(
            line_item_number=0,
            product_id=product_id,
            sku_id=sku_id,
            product_type="Software",
            sub_type="Perpetual",
            billing_cycle="one_time",
            term_duration="",
            currency=self.tenant.currency,
            list_price="412.00",
            unit_price="412.00",
            prorated_price="412.00",
        )
        self.world.commerce.orders[order_id] = NewOrder(lines=[row], provision_at=None)


# --- portfolios ------------------------------------------------------------------------------------------------------


def _azure(making: _Making) -> None:
    making.azure()


def _legacy_suspended(making: _Making) -> None:
    making.some_legacy(2)
    making.legacy("Office 365 ProPlus", kind=Kind.LEGACY_OFF, status="suspended")


def _gone(name: str, kind: Kind) -> Callable[[_Making], None]:
    def make(making: _Making) -> None:
        making.legacy(name, kind=kind)
        making.legacy("Power BI Pro")

    return make


def _modern_of_all_terms(making: _Making) -> None:
    making.some_modern(3)
    if making.rng.random() < 0.4:  # noqa: PLR2004 - a share of them
        making.modern(_E5, duration="P3Y", cycle=making.rng.choice(("monthly", "annual", "triennial")))


def _add_on(making: _Making) -> None:
    making.modern(_E3, quantity=25)
    making.modern(making.rng.choice((_AUDIO, _DEFENDER)), quantity=12)


def _promotion(making: _Making) -> None:
    making.modern(_PREMIUM, promotion_id=_PROMOTION, bought_days=making.rng.randint(10, 55))


def _open_window(making: _Making) -> None:
    making.modern(_E3, bought_days=making.rng.randint(1, 4))
    if making.rng.random() < 0.5:  # noqa: PLR2004 - half of them
        making.modern(_POWER_BI)


def _seat_pool(making: _Making) -> None:
    making.modern(_PREMIUM, quantity=making.rng.randint(160, 290))


def _not_transferable(making: _Making) -> None:
    # 20 to 55 days are left of its year: it ends while the world is looked at, with days of grace
    making.modern(NOT_TRANSFERABLE, Kind.NOT_TRANSFERABLE, bought_days=365 - making.rng.randint(20, 55))
    making.modern(_POWER_BI)


def _expired(making: _Making) -> None:
    making.modern(_PROJECT_3, Kind.EXPIRED, status="expired", ended_days=making.rng.randint(2, 12), auto_renew=False)
    making.modern(_E3)


def _suspended(making: _Making) -> None:
    making.modern(_M365_E3, Kind.SUSPENDED, status="suspended")
    making.modern(_POWER_BI)


def _trial(making: _Making) -> None:
    making.modern(
        _TRIAL, Kind.TRIAL, duration="P1M", cycle="none", quantity=25, auto_renew=False,
        bought_days=making.rng.randint(3, 20),
    )  # fmt: skip
    making.modern(_EXCHANGE_1)


def _reservations(making: _Making) -> None:
    making.azure()
    making.reserve(Reserved(name="Reserved VM Instance, Standard_D2s_v3"))
    making.reserve(Reserved(name="SQL Database reserved vCore", is_monthly=True))


def _reservation_off(making: _Making) -> None:
    making.azure()
    making.reserve(Reserved(name="Reserved VM Instance, Standard_B2ms", is_active=False))
    making.reserve(Reserved(name="Reserved VM Instance, Standard_D4s_v5"))


def _marketplace(making: _Making) -> None:
    """One of two Azure subscriptions has products of others below it that do not pass the check (R-169)."""
    making.modern(_E3)
    making.modern(_POWER_BI)
    plan = making.azure(2)
    below = [one for one in making.world.azure.entitlements.values() if one.subscription_id == plan.id]
    below[0].has_marketplace_items = True


def _software(making: _Making) -> None:
    making.modern(_SOFTWARE, Kind.SOFTWARE, duration="P1Y", cycle="one_time", quantity=4)
    making.modern(_POWER_BI)


def _perpetual(making: _Making) -> None:
    making.perpetual()
    making.some_modern(1)


def _saas(making: _Making) -> None:
    duration, cycle = making.rng.choice((("P1M", "monthly"), ("P1Y", "annual")))
    making.modern(_SAAS, Kind.SAAS, duration=duration, cycle=cycle, quantity=20)
    making.some_legacy(1)


def _unknown_status(making: _Making) -> None:
    making.some_legacy(1)
    making.legacy("Intune", kind=Kind.UNKNOWN_STATUS, status=UNKNOWN_STATUS)


def _two_sources(making: _Making) -> None:
    making.some_legacy(2)
    making.modern(_VISIO_1)
    other = making.mixer.tenant("no" if making.tenant.key != "no" else "dk")
    relate(making.world, making.rng, other, making.customer)
    making.tenant = other
    making.modern(_PROJECT_3)
    making.legacy("Exchange Online Kiosk")


def _at_target(making: _Making) -> None:
    target = making.mixer.tenant("target" if making.tenant.cloud == "commercial" else "target-us")
    relate(making.world, making.rng, target, making.customer)
    offer = offer_by_name(making.world.offers, "Office 365 Enterprise E3")
    for tenant in (making.tenant, target):
        making.hold(tenant, Holding(offer=offer, quantity=45, billing_cycle="monthly"), Kind.LEGACY)
    making.modern(_POWER_BI)


def _never(making: _Making) -> None:
    making.customer.acceptance = Acceptance(kind="never")
    making.some_legacy(1)
    making.some_modern(1)


def _late(making: _Making) -> None:
    making.customer.acceptance = Acceptance(kind="after", after_seconds=LATE_SECONDS)
    making.some_legacy(1)
    making.some_modern(2)


def _both(making: _Making) -> None:
    making.some_legacy(2)
    making.some_modern(2)


def _everything(making: _Making) -> None:
    making.some_legacy(2)
    making.some_modern(2)
    making.azure(2)
    making.reserve(Reserved(name="Reserved VM Instance, Standard_E4s_v5"))


def _nothing(making: _Making) -> None:
    making.legacy("Office 365 ProPlus", kind=Kind.LEGACY_OFF, status="deleted")
    making.legacy("Intune", kind=Kind.LEGACY_OFF, status="suspended")


def _outside(making: _Making) -> None:
    address = making.customer.address
    making.customer.address = msgspec.structs.replace(address, country="US", city="Duluth", state="MN")
    making.some_legacy(1)
    making.some_modern(1)


_MAKERS: dict[Portfolio, Callable[[_Making], None]] = {
    Portfolio.LEGACY: _Making.some_legacy,
    Portfolio.LEGACY_SUSPENDED: _legacy_suspended,
    Portfolio.LEGACY_GONE: _gone(GONE_TO_OFFER, Kind.LEGACY_GONE),
    Portfolio.LEGACY_GONE_TO_SKU: _gone(GONE_TO_SKU, Kind.LEGACY_GONE_TO_SKU),
    Portfolio.LEGACY_GONE_FOR_GOOD: _gone(NOT_SOLD, Kind.LEGACY_GONE_FOR_GOOD),
    Portfolio.MODERN: _modern_of_all_terms,
    Portfolio.MODERN_ADD_ON: _add_on,
    Portfolio.PROMOTION: _promotion,
    Portfolio.OPEN_WINDOW: _open_window,
    Portfolio.SEAT_POOL: _seat_pool,
    Portfolio.NOT_TRANSFERABLE: _not_transferable,
    Portfolio.EXPIRED: _expired,
    Portfolio.SUSPENDED: _suspended,
    Portfolio.TRIAL: _trial,
    Portfolio.AZURE: _azure,
    Portfolio.RESERVATIONS: _reservations,
    Portfolio.RESERVATION_OFF: _reservation_off,
    Portfolio.MARKETPLACE: _marketplace,
    Portfolio.LEGACY_AZURE: lambda making: making.legacy_azure(making.rng.randint(1, 2)),
    Portfolio.SOFTWARE: _software,
    Portfolio.PERPETUAL: _perpetual,
    Portfolio.SAAS: _saas,
    Portfolio.UNKNOWN_STATUS: _unknown_status,
    Portfolio.TWO_SOURCES: _two_sources,
    Portfolio.AT_TARGET: _at_target,
    Portfolio.NEVER_ACCEPTS: _never,
    Portfolio.ACCEPTS_LATE: _late,
    Portfolio.BOTH_GENERATIONS: _both,
    Portfolio.EVERYTHING: _everything,
    Portfolio.NOTHING: _nothing,
    Portfolio.OUTSIDE_REGION: _outside,
}

"""What generated customers hold (seed room): offers by company size, license counts, add-ons, dates, orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

import msgspec

from partner_center_emulator.catalog import offer_by_name
from partner_center_emulator.world import Offer, Order, OrderLine, PartnerTenant, Subscription, World

Choice = tuple[str, int]  # offer name, weight

SUITES_SMALL: tuple[Choice, ...] = (
    ("Office 365 Business Premium", 32), ("Office 365 Business Essentials", 19), ("Microsoft 365 Business", 18),
    ("Office 365 Business", 8), ("Exchange Online (Plan 1)", 14), ("Office 365 Enterprise E1", 5),
    ("Office 365 Enterprise E3", 4),
)  # fmt: skip
SUITES_LARGE: tuple[Choice, ...] = (
    ("Office 365 Enterprise E3", 30), ("Microsoft 365 E3", 22), ("Office 365 Enterprise E1", 20),
    ("Office 365 Enterprise E5", 9), ("Microsoft 365 E5", 6), ("Office 365 F1", 7), ("Microsoft 365 F1", 6),
)  # fmt: skip
EXTRAS: tuple[Choice, ...] = (
    ("Power BI Pro", 14), ("Visio Online Plan 2", 12), ("Project Online Professional", 12),
    ("Exchange Online (Plan 1)", 10),
    ("Enterprise Mobility + Security E3", 10), ("Azure Active Directory Premium P1", 9), ("Exchange Online Kiosk", 6),
    ("Intune", 6), ("Office 365 ProPlus", 5), ("Windows 10 Enterprise E3", 5), ("Visio Online Plan 1", 4),
    ("Dynamics 365 Business Central Essential", 4), ("Dynamics 365 Business Central Team Member", 3),
    ("Exchange Online (Plan 2)", 4), ("Exchange Online Protection", 3), ("Microsoft PowerApps Plan 1", 3),
    ("Microsoft Flow Plan 1", 3), ("Project Online Essentials", 3), ("Azure Active Directory Premium P2", 3),
    ("Dynamics 365 for Sales Professional", 3), ("Azure Information Protection Plan 1", 2), ("Meeting Room", 2),
    ("Enterprise Mobility + Security E5", 2), ("Dynamics 365 Team Members", 2), ("Project Online Premium", 1),
    ("OneDrive for Business (Plan 1)", 1), ("SharePoint Online (Plan 1)", 1), ("Common Area Phone", 1),
)  # fmt: skip
ADD_ONS: tuple[Choice, ...] = (
    ("Office 365 Advanced Threat Protection", 30), ("Exchange Online Archiving for Exchange Online", 16),
    ("Audio Conferencing", 15), ("Phone System", 8), ("Office 365 Extra File Storage", 8), ("Microsoft MyAnalytics", 4),
    ("Office 365 Advanced Compliance", 4), ("Office 365 Data Loss Prevention", 4),
    ("Office 365 Threat Intelligence", 3), ("Advanced eDiscovery Storage", 2), ("Intune Extra Storage", 2),
)  # fmt: skip

_SUSPENDED_SHARE = 0.045
_DELETED_SHARE = 0.025
_ADD_ON_CHANCE = 0.36
_TRIAL_CHANCE = 0.03


class Holding(msgspec.Struct, kw_only=True):
    """One subscription to be made: what, how many, in which state, since when; add-ons hang on it."""

    offer: Offer
    quantity: int
    status: str = "active"
    friendly_name: str = ""
    billing_cycle: str = ""  # "" = drawn; add-ons follow their base
    add_ons: list[Holding] = []


class Menu:
    """The offers of a world by name, with the weights ready for drawing; made once per generation."""

    def __init__(self, offers: dict[str, Offer]) -> None:
        self.small = _table(offers, SUITES_SMALL)
        self.large = _table(offers, SUITES_LARGE)
        self.extras = _table(offers, EXTRAS)
        self.trial = offer_by_name(offers, "Office 365 Enterprise E5 Trial")
        self._add_ons = _table(offers, ADD_ONS)
        self._by_base: dict[str, tuple[list[Offer], list[int]]] = {}

    def add_ons_for(self, base: Offer) -> tuple[list[Offer], list[int]]:
        """Return the add-ons that may hang on ``base``, with weights; empty lists if there are none."""
        found = self._by_base.get(base.id)
        if found is None:
            pairs = [(o, w) for o, w in zip(*self._add_ons, strict=True) if base.id in o.prerequisite_offers]
            found = self._by_base[base.id] = ([o for o, _ in pairs], [w for _, w in pairs])
        return found


def _table(offers: dict[str, Offer], choices: Sequence[Choice]) -> tuple[list[Offer], list[int]]:
    return [offer_by_name(offers, name) for name, _ in choices], [weight for _, weight in choices]


class _Size(msgspec.Struct, frozen=True):
    """One kind of company: share of all, fewest and most people, whether it buys the large suites, extras by weight."""

    share: float
    people: tuple[int, int]
    is_large: bool
    extras: tuple[int, ...]  # weight of 0, 1, 2 ... extra offers


_SIZES: tuple[_Size, ...] = (
    _Size(0.72, (1, 25), False, (17, 33, 32, 18)),  # noqa: FBT003 - a table row
    _Size(0.21, (20, 150), False, (0, 35, 40, 25)),  # noqa: FBT003 - a table row
    _Size(0.07, (120, 900), True, (0, 0, 25, 35, 28, 12)),  # noqa: FBT003 - a table row
)
_SIZE_SHARES = tuple(size.share for size in _SIZES)
_SKEW = 2.2  # most companies lie near the low end of their size
_SECOND_SUITE_CHANCE = 0.25
_RESELLER_CHANCE = 0.04
_NEW_ORDER_CHANCE = 0.4


def draw_portfolio(rng: Random, menu: Menu) -> list[Holding]:
    """Return what one generated customer holds: mostly few licenses, sometimes hundreds; no offer of a limit twice."""
    size = rng.choices(_SIZES, _SIZE_SHARES)[0]
    fewest, most = size.people
    people = fewest + int((most - fewest) * rng.random() ** _SKEW)
    extras = rng.choices(range(len(size.extras)), size.extras)[0]
    suites = menu.large if size.is_large else menu.small
    wanted = [(rng.choices(*suites)[0], people)]
    if rng.random() < _SECOND_SUITE_CHANCE:
        wanted.append((rng.choices(*menu.large)[0], max(1, people // 3)))
    wanted += [
        (offer, max(1, int(people * rng.choice((0.05, 0.1, 0.2, 0.5, 1.0)))))
        for offer in rng.choices(*menu.extras, k=extras)
    ]
    holdings = [_holding(rng, menu, offer, quantity) for offer, quantity in wanted]
    if rng.random() < _TRIAL_CHANCE:
        holdings.append(Holding(offer=menu.trial, quantity=menu.trial.minimum_quantity))
    return _within_limits(holdings)


def _holding(rng: Random, menu: Menu, offer: Offer, quantity: int) -> Holding:
    quantity = max(offer.minimum_quantity, min(quantity, offer.maximum_quantity))
    holding = Holding(offer=offer, quantity=quantity)
    chance = rng.random()
    if chance < _DELETED_SHARE:
        holding.status = "deleted"
    elif chance < _DELETED_SHARE + _SUSPENDED_SHARE:
        holding.status = "suspended"
    add_ons, weights = menu.add_ons_for(offer)
    if add_ons and rng.random() < _ADD_ON_CHANCE:
        for add_on in dict.fromkeys(o.id for o in rng.choices(add_ons, weights, k=rng.choice((1, 1, 1, 2)))):
            chosen = next(o for o in add_ons if o.id == add_on)
            many = rng.randint(5, 200) if chosen.unit_type == "Gigabytes" else rng.randint(1, quantity)
            holding.add_ons.append(Holding(offer=chosen, quantity=many, status=holding.status))
    return holding


def _within_limits(holdings: list[Holding]) -> list[Holding]:
    # one subscription at most of an offer with a limit, so that a second partner tenant can still create its own
    seen: set[str] = set()
    kept: list[Holding] = []
    for holding in holdings:
        offer = holding.offer
        if offer.limit_unit != "None" and offer.id in seen:
            continue
        seen.add(offer.id)
        kept.append(holding)
    return kept


def draw_reseller(rng: Random, world: World) -> str | None:
    """Return the partner on record of one generated customer: mostly none, sometimes an indirect reseller."""
    return rng.choice(world.reseller_partner_ids) if rng.random() < _RESELLER_CHANCE else None


def hold(
    world: World,
    rng: Random,
    tenant: PartnerTenant,
    customer_id: str,
    holdings: Sequence[Holding],
    *,
    reseller: str | None = None,
) -> None:
    """Put ``holdings`` into the world as completed orders of the tenant, ``reseller`` being the partner on record.

    Annual and monthly never share an order, trials have one of their own; add-ons stand in the order of their base.
    """
    orders: dict[str, Order] = {}
    for holding in holdings:
        drawn = rng.choices(("monthly", "annual"), (70, 30))[0]
        cycle = "none" if holding.offer.is_trial else holding.billing_cycle or drawn
        order = orders.get(cycle)
        if order is None or rng.random() < _NEW_ORDER_CHANCE:
            order = orders[cycle] = _new_order(world, rng, tenant, customer_id, cycle)
        base = _add_line(world, rng, order, holding, None, reseller)
        for add_on in holding.add_ons:
            _add_line(world, rng, order, add_on, base, reseller)


def new_guid(rng: Random) -> str:
    """Return a random-looking GUID in lower case that depends on the generator's state only."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def _new_order(world: World, rng: Random, tenant: PartnerTenant, customer_id: str, cycle: str) -> Order:
    days = rng.randint(2, 20) if cycle == "none" else rng.randint(20, 1080)
    seconds = rng.randint(6 * 3600, 18 * 3600)
    day = world.started_at.date() - timedelta(days=days)
    created = datetime.combine(day, time(), tzinfo=world.started_at.tzinfo) + timedelta(seconds=seconds)
    order = Order(
        id=new_guid(rng),
        tenant_id=tenant.id,
        customer_id=customer_id,
        billing_cycle=cycle,
        currency=tenant.currency,
        currency_symbol=tenant.currency_symbol,
        created_at=created,
        lines=[],
    )
    world.orders[order.id] = order
    return order


def _add_line(
    world: World, rng: Random, order: Order, holding: Holding, base: Subscription | None, reseller: str | None
) -> Subscription:
    offer = holding.offer
    subscription = Subscription(
        id=new_guid(rng),
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        offer_id=offer.id,
        offer_name=offer.name,
        friendly_name=holding.friendly_name or offer.name,
        quantity=holding.quantity,
        status=holding.status,
        order_id=order.id,
        created_at=order.created_at,
        effective_start=order.created_at.date(),
        commitment_end=_commitment_end(world, order.created_at.date(), holding),
        billing_cycle=order.billing_cycle,
        unit_type=offer.unit_type,
        is_trial=offer.is_trial,
        auto_renew=not offer.is_trial,
        parent_subscription_id=base.id if base else None,
        partner_id_on_record=reseller,
    )
    if holding.status == "suspended":
        since = base.suspended_at if base else None
        subscription.suspended_at = since or _suspended_at(world, rng, order.created_at)
    world.subscriptions[subscription.id] = subscription
    order.lines.append(_line(order, subscription))
    return subscription


def _line(order: Order, subscription: Subscription) -> OrderLine:
    return OrderLine(
        line_item_number=len(order.lines),
        offer_id=subscription.offer_id,
        quantity=subscription.quantity,
        friendly_name=subscription.friendly_name,
        subscription_id=subscription.id,
        parent_subscription_id=subscription.parent_subscription_id,
        partner_id_on_record=subscription.partner_id_on_record,
    )


def _commitment_end(world: World, start: date, holding: Holding) -> date:
    """Return the end of the term that runs when the world begins; a deleted one keeps the end of its first term."""
    if holding.offer.is_trial:
        return start + timedelta(days=29)
    today = world.started_at.date()
    years = 1
    if holding.status != "deleted":
        while _anniversary(start, years) <= today:
            years += 1
    return _anniversary(start, years) - timedelta(days=1)


def _anniversary(start: date, years: int) -> date:
    if (start.month, start.day) == (2, 29):
        return date(start.year + years, 3, 1)
    return start.replace(year=start.year + years)


def _suspended_at(world: World, rng: Random, created_at: datetime) -> datetime:
    # at most 80 days ago, so that none is deleted in the first days of the world
    room = (world.started_at - created_at).total_seconds()
    return world.started_at - timedelta(seconds=int(min(80 * 86400, room) * rng.random()))

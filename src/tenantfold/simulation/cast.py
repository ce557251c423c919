"""The people of a scenario (simulation room): the emulator's world, and what happens there behind our back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from random import Random

from partner_center_emulator.catalog import catalog_offers, offer_by_name
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.seed import Holding, add_customer, empty_partner, hold
from partner_center_emulator.seed.generator import Domains, relate
from partner_center_emulator.subscriptions.models import change_in_portal
from partner_center_emulator.world import Acceptance, Customer, Offer, PartnerTenant, Subscription, World
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import AgreementContact, CustomerId, OfferId
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer
from tenantfold.simulation.scenario import HOUR, SOURCES, CustomerScript, Odd, Scenario
from tenantfold.simulation.stage import TARGET_KEY

AGREED_ON = date(2026, 1, 15)
UNKNOWN_STATUS = "pending_review_hold"
GONE, IN_ITS_PLACE = "Microsoft 365 Business Shift Campaign - 15%", "Microsoft 365 Business"

_BASES = (
    "Office 365 Enterprise E3", "Office 365 Enterprise E1", "Microsoft 365 E3", "Exchange Online (Plan 1)",
    "Power BI Pro", "Visio Online Plan 2", "Project Online Professional", "Enterprise Mobility + Security E3",
)  # fmt: skip
_ADD_ONS = (
    "Exchange Online Archiving for Exchange Online", "Audio Conferencing", "Office 365 Extra File Storage",
    "Office 365 Advanced Threat Protection",
)  # fmt: skip
_ADD_ON_SHARE, _TWICE_SHARE, _SUSPENDED_SHARE = 0.45, 0.2, 0.06


def build(scenario: Scenario) -> World:
    """The emulator's world at the start of a scenario."""
    world = empty_partner(scenario.seed, scenario.starts_at, Random("simulated partner"))
    world.offers = {key: offer for key, offer in catalog_offers().items() if offer.id in _sold()}
    domains = Domains()
    for script in scenario.customers:
        _add(world, script, Random(f"customer/{scenario.seed}/{script.number}"), domains)
    return world


def source_keys(scenario: Scenario) -> tuple[str, ...]:
    """The source tenants that a scenario needs."""
    used = {script.source for script in scenario.customers}
    used |= {_other(script.source) for script in scenario.customers if script.odd is Odd.TWO_SOURCES}
    return tuple(key for key in SOURCES if key in used) or SOURCES[:1]


def name_of(script: CustomerScript) -> str:
    """The company name of a customer."""
    return f"Customer {script.number + 1}"


def customer_of(world: World, script: CustomerScript) -> Customer:
    """The customer of a script in its world."""
    return next(one for one in world.customers.values() if one.company_name == name_of(script))


def selection(world: World, scenario: Scenario) -> CustomerSelection:
    """The partner's own list: everybody, with the contact where there is one."""
    rows = []
    for row, script in enumerate(scenario.customers, start=2):
        customer = customer_of(world, script)
        contact = AgreementContact(
            first_name=customer.first_name, last_name=customer.last_name, email=customer.email, agreed_on=AGREED_ON
        )
        given = None if script.odd is Odd.NO_CONTACT else contact
        rows.append(SelectedCustomer(row=row, customer_id=CustomerId(customer.id), contact=given))
    return CustomerSelection(place="the simulated list", rows=tuple(rows))


def mapping(world: World, scenario: Scenario) -> tuple[OfferMapping, ...]:
    """The approved offer mapping; empty unless a customer of the scenario has one."""
    if not any(script.odd is Odd.OFFER_MAPPED for script in scenario.customers):
        return ()
    gone, replacement = (OfferId(offer_by_name(world.offers, name).id) for name in (GONE, IN_ITS_PLACE))
    return (OfferMapping(source_offer_id=gone, target_offer_id=replacement, approved_by="The simulated owner"),)


def happen(emulator: Emulator, script: CustomerScript) -> str:
    """Let the oddity of a customer happen at its time; returns what happened, empty when nothing could."""
    customer = customer_of(emulator.world, script)
    target = tenant_of(emulator.world, TARGET_KEY)
    if script.odd is Odd.SEAT_CHANGE:
        found = _bases(emulator.world, customer, at=None, without=target.id, status="active")
        return _more_seats(emulator, found, 3, "the source")
    if script.odd is Odd.TARGET_CHANGE:
        return _more_seats(
            emulator, _bases(emulator.world, customer, at=target.id, without="", status="active"), 2, "the target"
        )
    if script.odd is Odd.COMES_BACK:
        for one in _bases(emulator.world, customer, at=None, without=target.id, status="suspended"):
            change_in_portal(emulator, one.id, {"status": "active"})
            return f"Somebody reactivates {one.offer_name} at the source."
    return ""


def _more_seats(emulator: Emulator, found: Iterable[Subscription], seats: int, where: str) -> str:
    for one in found:
        change_in_portal(emulator, one.id, {"quantity": one.quantity + seats})
        return f"Somebody adds {seats} licenses to {one.offer_name} at {where}."
    return ""


def _bases(world: World, customer: Customer, *, at: str | None, without: str, status: str) -> Iterator[Subscription]:
    """A customer's base subscriptions of one status, at one tenant or at all but one."""
    for one in world.subscriptions.values():
        mine = one.customer_id == customer.id and one.parent_subscription_id is None and one.status == status
        if mine and one.tenant_id != without and at in {None, one.tenant_id}:
            yield one


def tenant_of(world: World, key: str) -> PartnerTenant:
    """The partner tenant with this short name."""
    return next(tenant for tenant in world.partner_tenants.values() if tenant.key == key)


@cache
def _sold() -> frozenset[str]:
    offers = catalog_offers()
    return frozenset(offer_by_name(offers, name).id for name in (*_BASES, *_ADD_ONS, GONE, IN_ITS_PLACE))


def _other(source: str) -> str:
    return SOURCES[(SOURCES.index(source) + 1) % len(SOURCES)]


def _add(world: World, script: CustomerScript, rng: Random, domains: Domains) -> None:
    tenant = tenant_of(world, script.source)
    customer = add_customer(world, rng, tenant, name_of(script), domains)
    if script.odd is Odd.NEVER_ACCEPTS:
        customer.acceptance = Acceptance(kind="never")
    elif script.odd is Odd.ACCEPTS_LATE:
        customer.acceptance = Acceptance(kind="after", after_seconds=HOUR + script.moves_at)
    else:
        customer.acceptance = Acceptance(kind="after", after_seconds=rng.choice((0.0, 0.0, 60.0, 400.0)))
    holdings = _holdings(world, script, rng)
    hold(world, rng, tenant, customer.id, holdings)
    if script.odd is Odd.AT_TARGET:
        target = tenant_of(world, TARGET_KEY)
        relate(world, rng, target, customer)
        hold(world, rng, target, customer.id, holdings[:1])
    if script.odd is Odd.TWO_SOURCES:
        other = tenant_of(world, _other(script.source))
        relate(world, rng, other, customer)
        hold(world, rng, other, customer.id, [_holding(world, rng, rng.choice(_BASES))])


def _holdings(world: World, script: CustomerScript, rng: Random) -> list[Holding]:
    found = [_holding(world, rng, name) for name in rng.sample(_BASES, rng.choice((1, 1, 2, 2, 3)))]
    if rng.random() < _TWICE_SHARE:
        found.append(Holding(offer=found[0].offer, quantity=found[0].quantity, billing_cycle=found[0].billing_cycle))
    if rng.random() < _SUSPENDED_SHARE:
        found[-1].status = "suspended"
        for add_on in found[-1].add_ons:
            add_on.status = "suspended"
    if script.odd is Odd.UNKNOWN_STATUS:
        found.append(_holding(world, rng, "Power BI Pro", status=UNKNOWN_STATUS))
    if script.odd in {Odd.OFFER_GONE, Odd.OFFER_MAPPED}:
        found.append(_holding(world, rng, GONE))
    return found


def _holding(world: World, rng: Random, name: str, status: str = "active") -> Holding:
    base = offer_by_name(world.offers, name)
    quantity = rng.randint(2, 60)
    made = Holding(offer=base, quantity=quantity, status=status, billing_cycle=rng.choice(("monthly", "annual")))
    fitting = [offer for offer in _add_ons(world) if base.id in offer.prerequisite_offers]
    if fitting and rng.random() < _ADD_ON_SHARE:
        chosen = rng.choice(fitting)
        made.add_ons.append(Holding(offer=chosen, quantity=rng.randint(1, quantity), status=status))
    return made


def _add_ons(world: World) -> list[Offer]:
    return [offer_by_name(world.offers, name) for name in _ADD_ONS]

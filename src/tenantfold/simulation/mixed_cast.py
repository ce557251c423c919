"""The people of a mixed scenario (simulation room): the emulator's mixed world, and what each kind must come to.

``WAYS`` is what the judge holds the truth ledger against; it is written from the rules (section E), not from the
program's own choice of routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from partner_center_emulator.catalog import offer_by_name
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.ledger.shape import Way
from partner_center_emulator.seed.mixed import mixed_partner
from partner_center_emulator.seed.portfolios import GONE_TO_OFFER, GONE_TO_SKU, Kind
from partner_center_emulator.state.behaviour import SupportManner
from partner_center_emulator.state.transfers import Stumble, Transfer
from partner_center_emulator.subscriptions.models import change_in_portal
from partner_center_emulator.transfers import modern
from partner_center_emulator.world import Customer, PartnerTenant, Subscription, World
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import AgreementContact, CustomerId, OfferId, SkuTerm
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer
from tenantfold.simulation.cast import AGREED_ON
from tenantfold.simulation.mixed_scenario import Mishap, MixedScenario, MixedScript
from tenantfold.simulation.scenario import CustomerScript, Odd, Scenario

_SKU_AFTER, _OFFER_AFTER = "CFQ7TTC0LDPB:0001", "Microsoft 365 Business"
_FORMER_DAYS = 28  # how old a forgotten request is

WAYS: Mapping[Kind, frozenset[Way]] = {
    Kind.LEGACY: frozenset({"recreated", "adopted"}),
    Kind.LEGACY_ADD_ON: frozenset({"recreated", "adopted"}),
    Kind.LEGACY_OFF: frozenset(),
    Kind.LEGACY_GONE: frozenset({"recreated"}),
    Kind.LEGACY_GONE_TO_SKU: frozenset({"recreated"}),
    Kind.LEGACY_GONE_FOR_GOOD: frozenset(),
    Kind.LICENSE: frozenset({"transferred"}),
    Kind.NOT_TRANSFERABLE: frozenset({"rebought"}),
    Kind.EXPIRED: frozenset({"rebought"}),
    Kind.SUSPENDED: frozenset(),
    Kind.TRIAL: frozenset(),
    Kind.AZURE_PLAN: frozenset({"azure_transferred"}),
    Kind.LEGACY_AZURE: frozenset({"azure_supported"}),
    Kind.SOFTWARE: frozenset({"by_hand", "rebought"}),
    Kind.SAAS: frozenset({"by_hand", "rebought"}),
    Kind.UNKNOWN_STATUS: frozenset({"by_hand", "recreated"}),
}

GOVERNMENT_WAYS: Mapping[Kind, frozenset[Way]] = {Kind.LICENSE: frozenset({"rebought"})}
"""What else is right in a cloud without transfers (900138)."""


def build(scenario: MixedScenario) -> World:
    """The emulator's world at the start of a mixed scenario."""
    return build_all(scenario, scenario.customers)


def build_all(scenario: MixedScenario, scripts: Iterable[CustomerScript]) -> World:
    """The same with customers that are not the scenario's own beside them."""
    mixer = mixed_partner(scenario.seed, scenario.starts_at)
    for script in scripts:
        if isinstance(script, MixedScript):
            mixer.add(script.portfolio, script.source, name_of(script))
    people = scenario.people
    mixer.world.behaviour.support.manner = SupportManner(
        median_hours=people.support_hours, mistake_probability=people.support_errs
    )
    return mixer.world


def source_keys(scenario: Scenario) -> tuple[str, ...]:
    """All sources of the cloud: the same customer may be at two of them."""
    cloud = scenario.cloud if isinstance(scenario, MixedScenario) else "commercial"
    return ("us",) if cloud == "us_government" else ("se", "no", "dk", "fi")


def name_of(script: CustomerScript) -> str:
    """The company name of a customer."""
    return f"Customer {script.number + 1}"


def customer_of(world: World, script: CustomerScript) -> Customer:
    """The customer of a script in its world."""
    return next(one for one in world.customers.values() if one.company_name == name_of(script))


def target_of(world: World, scenario: Scenario) -> PartnerTenant:
    """The target tenant of the scenario's cloud."""
    cloud = scenario.cloud if isinstance(scenario, MixedScenario) else "commercial"
    key = "target-us" if cloud == "us_government" else "target"
    return next(tenant for tenant in world.partner_tenants.values() if tenant.key == key)


def selection(world: World, scenario: Scenario) -> CustomerSelection:
    """The partner's own list: everybody, with the contact where there is one."""
    without = {name_of(script) for script in scenario.customers if script.odd is Odd.NO_CONTACT}
    return everybody([customer_of(world, script) for script in scenario.customers], without)


def everybody(customers: list[Customer], without: set[str]) -> CustomerSelection:
    """A list of customers with their contacts, but for those named in ``without``."""
    rows = []
    for row, customer in enumerate(customers, start=2):
        contact = AgreementContact(
            first_name=customer.first_name, last_name=customer.last_name, email=customer.email, agreed_on=AGREED_ON
        )
        given = None if customer.company_name in without else contact
        rows.append(SelectedCustomer(row=row, customer_id=CustomerId(customer.id), contact=given))
    return CustomerSelection(place="the simulated list", rows=tuple(rows))


def mapping(world: World, _scenario: Scenario) -> tuple[OfferMapping, ...]:
    """The approved mapping: a legacy offer for one that is gone, new commerce for another."""
    ids = {name: OfferId(offer_by_name(world.offers, name).id) for name in (GONE_TO_OFFER, GONE_TO_SKU, _OFFER_AFTER)}
    by = "The simulated owner"
    return (
        OfferMapping(source_offer_id=ids[GONE_TO_OFFER], target_offer_id=ids[_OFFER_AFTER], approved_by=by),
        OfferMapping(
            source_offer_id=ids[GONE_TO_SKU],
            target_offer_id=OfferId(_SKU_AFTER),
            sold_as=SkuTerm(duration="P1Y", billing_cycle="monthly"),
            approved_by=by,
        ),
    )


def happen(emulator: Emulator, script: CustomerScript) -> str:
    """Let somebody add licenses to the first thing that still is at a source; returns what happened."""
    if script.odd is not Odd.SEAT_CHANGE:
        return ""
    customer = customer_of(emulator.world, script)
    for one in _at_sources(emulator.world, customer):
        if one.status == "active" and one.parent_subscription_id is None and one.billing_type != "usage":
            change_in_portal(emulator, one.id, {"quantity": one.quantity + 3})
            return f"Somebody adds 3 licenses to {one.offer_name} at the source."
    return ""


def begin_mishaps(emulator: Emulator, scenario: MixedScenario) -> None:
    """Prepare what is to go wrong beside the calls."""
    for script in scenario.customers:
        if not isinstance(script, MixedScript) or script.mishap is None:
            continue
        customer = customer_of(emulator.world, script)
        if script.mishap in {Mishap.STUMBLES, Mishap.STUMBLES_LONG}:
            times = 3 if script.mishap is Mishap.STUMBLES else 100
            _stumble(emulator, customer, times)
        elif script.mishap is Mishap.OPEN_BEFORE:
            _forgotten(emulator, scenario, customer)


def _stumble(emulator: Emulator, customer: Customer, times: int) -> None:
    """The first thing that may be transferred fails so often: each hour once, and after three days for good."""
    world = emulator.world
    held = [one.id for one in world.azure.entitlements.values() if one.customer_id == customer.id]
    held += [one.id for one in _at_sources(world, customer) if world.labels.get(one.id) == Kind.LICENSE.name]
    for one in held[:1]:
        world.transfers.stumbles[one] = Stumble(times=times)


def _forgotten(emulator: Emulator, scenario: MixedScenario, customer: Customer) -> None:
    """A request of the target that nobody answered; it lapses in two days."""
    world = emulator.world
    target = target_of(world, scenario)
    source = next(
        tenant for tenant in world.partner_tenants.values() if f"{tenant.id}/{customer.id}" in world.relationships
    )
    created = emulator.clock.now() - timedelta(days=_FORMER_DAYS)
    transfer = Transfer(
        id=emulator.next_id("transfer"),
        is_legacy=False,
        transfer_type=5,
        status="Pending",
        customer_id=customer.id,
        customer_email=customer.email,
        customer_name=customer.company_name,
        source_tenant_id=source.id,
        source_name=source.company_name,
        target_tenant_id=target.id,
        target_name=target.company_name,
        created_at=created,
        modified_at=created,
        expires_at=created + timedelta(days=modern.PENDING_DAYS),
        last_modified_user="somebody who has left",
    )
    world.transfers.transfers[transfer.id] = transfer
    modern.arm(emulator, transfer)


def _at_sources(world: World, customer: Customer) -> Iterator[Subscription]:
    targets = {tenant.id for tenant in world.partner_tenants.values() if tenant.key in {"target", "target-us"}}
    for one in world.subscriptions.values():
        if one.customer_id == customer.id and one.tenant_id not in targets:
            yield one

"""What the web page shows (page room): facts of the world, gathered for the templates. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec

from partner_center_emulator import ledger
from partner_center_emulator.agreements.models import is_confirmed
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.state.behaviour import Fault
from partner_center_emulator.world import Customer, PartnerTenant, StateChange, Subscription

PER_PAGE = 50
_LATEST = 12
_LEDGER_CUSTOMERS = 3000  # a bigger world's ledger takes seconds: the page links to it instead
_STATUS_CLASSES = {"active": "good", "suspended": "warn", "pending": "warn", "deleted": "bad"}


class TenantRow(msgspec.Struct, frozen=True, kw_only=True):
    """One partner tenant with what it holds."""

    tenant: PartnerTenant
    customers: int
    statuses: list[tuple[str, int]]
    seats: int  # of active subscriptions


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A customer at one partner tenant."""

    tenant: PartnerTenant
    since: datetime | None  # None: no relationship
    has_agreement: bool
    accepts_at: datetime | None
    subscriptions: list[Subscription]


class FaultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the plan with its counters, and where it strikes, in words."""

    fault: Fault
    scope: str
    matched: int
    fired: int


def status_class(status: str) -> str:
    """Return the style of a status; one that nobody knows stands out."""
    return _STATUS_CLASSES.get(status, "odd")


def tenant_rows(emulator: Emulator) -> list[TenantRow]:
    """Return every partner tenant, the target last."""
    world = emulator.world
    customers = Counter(row.tenant_id for row in world.relationships.values())
    statuses: dict[str, Counter[str]] = {}
    seats: Counter[str] = Counter()
    for row in world.subscriptions.values():
        statuses.setdefault(row.tenant_id, Counter())[row.status] += 1
        if row.status == "active":
            seats[row.tenant_id] += row.quantity
    tenants = sorted(world.partner_tenants.values(), key=lambda tenant: tenant.key == "target")
    return [
        TenantRow(
            tenant=tenant,
            customers=customers[tenant.id],
            statuses=statuses.get(tenant.id, Counter()).most_common(),
            seats=seats[tenant.id],
        )
        for tenant in tenants
    ]


def totals(emulator: Emulator) -> dict[str, object] | None:
    """Return the ledger's totals, or None for a world whose ledger takes too long for a page."""
    if len(emulator.world.customers) > _LEDGER_CUSTOMERS:
        return None
    report = msgspec.to_builtins(ledger.report(emulator, customer_id=None, detail=False))
    found: dict[str, object] = report["totals"]
    return found


def busiest_routes(emulator: Emulator) -> list[tuple[str, int, int, int]]:
    """Return the routes called most: name, calls, throttled, errors."""
    tallies = sorted(emulator.world.tallies.items(), key=lambda pair: -pair[1].calls)[:_LATEST]
    return [(route, tally.calls, tally.throttled, tally.errors) for route, tally in tallies]


def latest_changes(emulator: Emulator, customer_id: str = "") -> list[StateChange]:
    """Return the newest changes, newest first; of one customer if asked."""
    found = _backward(emulator.world.changes, customer_id)
    return [change for change, _ in zip(found, range(_LATEST), strict=False)]


def _backward(changes: list[StateChange], customer_id: str) -> Iterator[StateChange]:
    return (change for change in reversed(changes) if not customer_id or change.customer_id == customer_id)


def find_customers(emulator: Emulator, words: str, page: int) -> tuple[list[tuple[Customer, list[str]]], int]:
    """Return one page of the customers whose name, domain or id contains ``words``, and how many there are in all.

    Each comes with the keys of the tenants it has a relationship with.
    """
    wanted = words.casefold().strip()
    found = [
        row
        for row in emulator.world.customers.values()
        if not wanted or wanted in f"{row.company_name} {row.domain} {row.id}".casefold()
    ]
    found.sort(key=lambda row: row.company_name.casefold())
    tenants = emulator.world.partner_tenants.values()
    relationships = emulator.world.relationships
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    rows = [(row, [one.key for one in tenants if f"{one.id}/{row.id}" in relationships]) for row in shown]
    return rows, len(found)


def sides(emulator: Emulator, customer: Customer) -> list[Side]:
    """Return the customer at every tenant it has to do with, the target always and last."""
    world, index = emulator.world, emulator.derived(CommerceIndex)
    made: list[Side] = []
    for tenant in sorted(world.partner_tenants.values(), key=lambda one: one.key == "target"):
        pair = f"{tenant.id}/{customer.id}"
        relationship = world.relationships.get(pair)
        subscriptions = list(index.subscriptions_of(tenant.id, customer.id))
        if relationship is None and not subscriptions and tenant.key != "target":
            continue
        made.append(
            Side(
                tenant=tenant,
                since=relationship.since if relationship else None,
                has_agreement=is_confirmed(emulator, tenant.id, customer),
                accepts_at=world.pending_acceptances.get(pair),
                subscriptions=subscriptions,
            )
        )
    return made


def fault_rows(emulator: Emulator) -> list[FaultRow]:
    """Return the faults of the plan in its order."""
    state = emulator.world.behaviour.faults
    return [
        FaultRow(
            fault=fault,
            scope=_scope(emulator, fault),
            matched=state.matched.get(fault.name, 0),
            fired=state.fired.get(fault.name, 0),
        )
        for fault in state.plan.faults
    ]


def _scope(emulator: Emulator, fault: Fault) -> str:
    parts = [" or ".join(fault.methods), fault.route if fault.route != "*" else ""]
    if fault.tenants:
        parts.append(f"at {', '.join(fault.tenants)}")
    names = [emulator.world.customers.get(one.lower()) for one in fault.customers]
    if names:
        parts.append(f"for {', '.join(row.company_name if row else 'an unknown customer' for row in names)}")
    if fault.probability < 1:
        parts.append(f"{fault.probability:.0%} of calls")
    if fault.count is not None:
        parts.append("once" if fault.count == 1 else f"at most {fault.count} times")
    return ", ".join(part for part in parts if part) or "every call"

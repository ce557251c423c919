"""The ledger's report over all customers (truth room): one pass over changes, one over subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from partner_center_emulator.clock import wall_now
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.invoices.terms import BillingTerms
from partner_center_emulator.ledger.account import Findings, judge_customer
from partner_center_emulator.ledger.azure import AzureBook, AzureFindings
from partner_center_emulator.ledger.money import Bookkeeper
from partner_center_emulator.ledger.shape import BilledSuspension, CustomerVerdict, LedgerReport, Parity, State, Totals
from partner_center_emulator.ledger.timeline import Track, steps_by_subscription, touched_customers, track
from partner_center_emulator.relationships.models import region_of
from partner_center_emulator.state.people import Cloud
from partner_center_emulator.world import World

# The keys of the partner tenants into which the others are folded, one per cloud; every other one is a source.
TARGET_KEYS = frozenset({"target", "target-us"})
_IN_USE = frozenset({"active", "expired"})


class _Counts(msgspec.Struct):
    """Subscriptions of one customer as they stand, for the short verdict."""

    movable: int = 0
    source_active: int = 0
    target_active: int = 0


class _Targets:
    """The target tenants and whom they may serve: only customers of their own region and cloud (R-120, R-213)."""

    def __init__(self, world: World) -> None:
        tenants = [tenant for tenant in world.partner_tenants.values() if tenant.key in TARGET_KEYS]
        self.ids = frozenset(tenant.id for tenant in tenants)
        self._places = {(tenant.cloud, region_of(tenant.address.country)) for tenant in tenants}
        self._customers = world.customers
        self._clouds: dict[str, Cloud] = {}
        if len({tenant.cloud for tenant in tenants}) > 1:
            clouds = {tenant.id: tenant.cloud for tenant in world.partner_tenants.values()}
            self._clouds = {one.customer_id: clouds[one.tenant_id] for one in world.relationships.values()}
        self._cloud: Cloud = tenants[0].cloud if tenants else "commercial"

    def may_serve(self, customer_id: str) -> bool:
        """Whether the customer is in the region of a target of its cloud."""
        customer = self._customers.get(customer_id)
        if customer is None:
            return False
        return (self._clouds.get(customer_id, self._cloud), region_of(customer.address.country)) in self._places


def report(emulator: Emulator, *, customer_id: str | None = None, detail: bool = False) -> LedgerReport:
    """Return the verdict on the emulator's world as it stands now on its clock."""
    terms = emulator.options.billing
    return judge(emulator.world, emulator.clock.now(), customer_id, detail=detail, wall=wall_now(), terms=terms)


def judge(
    world: World,
    now: datetime,
    customer: str | None = None,
    *,
    detail: bool = False,
    wall: datetime | None = None,
    terms: BillingTerms | None = None,
) -> LedgerReport:
    """Return what really happened in ``world`` until ``now``: pure, and linear in changes and subscriptions.

    ``customer`` (lower-case id) limits everything but calls and violations to one customer; with it or with ``detail``
    the report has one line per customer. ``wall`` is only printed; ``terms`` are the switches of billing.
    """
    everyone = [customer] if customer is not None else list(world.customers)
    targets = _Targets(world)
    touched = touched_customers(world.changes) & set(everyone)
    lives, counts = _lives(world, touched, targets, customer)
    result = _blank(world, now, wall or now)
    lines: list[CustomerVerdict] = []
    has_lines = detail or customer is not None
    relations = _relations(world) if has_lines else {}
    keeper = Bookkeeper(world, now, terms or BillingTerms())
    azure = AzureBook(world, targets.ids)
    for customer_id in everyone:
        sources, target_tracks = lives.get(customer_id, ([], []))
        count = counts.get(customer_id) or _Counts()
        found = Findings(movable=count.movable)
        if customer_id in touched:
            found = judge_customer(world, now, sources, target_tracks)
        clouds = azure.judge(customer_id, now)
        _add_azure(result, found, clouds)
        state = _state(found, is_reachable=targets.may_serve(customer_id))
        _add(result, found, state)
        keeper.add_pairs(found.served)
        if has_lines:
            lines.append(_line(world, customer_id, found, count, state, relations.get(customer_id, []), targets.ids))
    result.billed_suspensions = list(_billed_suspensions(world, set(everyone), targets.ids))
    result.totals.billed_suspensions = len(result.billed_suspensions)
    keeper.add_tenants(customer)
    if has_lines:
        result.customers = lines
        keeper.add_accounts(customer)
    result.money = keeper.money
    return result


def _lives(
    world: World, touched: set[str], targets: _Targets, customer: str | None
) -> tuple[dict[str, tuple[list[Track], list[Track]]], dict[str, _Counts]]:
    """Return the tracks of touched customers by side, and the counts of all."""
    changes = steps_by_subscription(world.changes, touched)
    lives: dict[str, tuple[list[Track], list[Track]]] = {name: ([], []) for name in touched}
    counts: dict[str, _Counts] = {}
    for subscription in world.subscriptions.values():
        customer_id = subscription.customer_id
        if customer is not None and customer_id != customer:
            continue
        count = counts.get(customer_id)
        if count is None:
            count = counts[customer_id] = _Counts()
        at_target = subscription.tenant_id in targets.ids
        is_active = subscription.status == "active"
        if at_target:
            count.target_active += is_active
        else:
            count.source_active += is_active
            is_counted = subscription.status in _IN_USE and not subscription.is_trial
            count.movable += is_counted and subscription.billing_type != "usage"
        # Azure has no seats: its truth is in the entitlements, whose id stays while billing moves
        if customer_id in touched and subscription.billing_type != "usage":
            lives[customer_id][at_target].append(track(world, subscription, changes.get(subscription.id, ())))
    return lives, counts


def _add_azure(result: LedgerReport, found: Findings, clouds: AzureFindings) -> None:
    """Azure subscriptions and reservations count beside the licenses of their customer."""
    found.movable += clouds.movable
    found.moved += len(clouds.moves)
    found.moves += clouds.moves
    found.begun = found.begun or bool(clouds.moves)
    result.azure_faults += clouds.faults
    result.totals.azure_faults += len(clouds.faults)


def _billed_suspensions(world: World, customers: set[str], targets: frozenset[str]) -> Iterator[BilledSuspension]:
    """Every call that suspended new commerce or an Azure plan at a source: always wrong (R-135)."""
    for change in world.changes:
        is_ours = change.what == "subscription.changed" and change.request_id and change.customer_id in customers
        if not is_ours or change.after.get("status") != "suspended" or change.before.get("status") == "suspended":
            continue
        if change.subject_id in world.commerce.terms and change.tenant_id not in targets:
            row = world.subscriptions[change.subject_id]
            yield BilledSuspension(
                customer_id=row.customer_id, subscription_id=row.id, offer_name=row.offer_name, at=change.at
            )


def _state(found: Findings, *, is_reachable: bool) -> State:
    if not found.movable:
        return "not_movable"
    if found.moved == found.movable:
        return "moved"
    if found.begun:
        return "partly"
    return "untouched" if is_reachable else "not_movable"


def _blank(world: World, now: datetime, wall: datetime) -> LedgerReport:
    return LedgerReport(
        clock=now,
        wall=wall,
        twins=[],
        gaps=[],
        overlaps=[],
        parity=Parity(unequal=[]),
        calls=world.tallies,
        violations=world.violations,
        totals=_call_totals(world),
    )


def _add(result: LedgerReport, found: Findings, state: State) -> None:
    result.twins += found.twins
    result.gaps += found.gaps
    result.overlaps += found.overlaps
    result.parity.moved += found.parity.moved
    result.parity.equal += found.parity.equal
    result.parity.unequal += found.parity.unequal
    totals = result.totals
    totals.customers += 1
    setattr(totals, state, getattr(totals, state) + 1)
    totals.twins += sum(twin.excess for twin in found.twins)
    totals.gaps += len(found.gaps)
    totals.gap_seconds += sum(gap.seconds for gap in found.gaps)
    totals.gap_seat_seconds += sum(gap.seat_seconds for gap in found.gaps)
    totals.unequal += len(found.parity.unequal)
    for move in found.moves:
        totals.ways[move.way] = totals.ways.get(move.way, 0) + 1
    for overlap in found.overlaps:
        if overlap.is_preexisting:
            totals.preexisting_overlap_seat_days += overlap.seat_days
        else:
            totals.overlaps += 1
            totals.overlap_seat_days += overlap.seat_days


def _call_totals(world: World) -> Totals:
    tallies = world.tallies.values()
    return Totals(
        calls=sum(tally.calls for tally in tallies),
        throttled=sum(tally.throttled for tally in tallies),
        errors=sum(tally.errors for tally in tallies),
        violations=len(world.violations),
    )


def _relations(world: World) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for relationship in world.relationships.values():
        found.setdefault(relationship.customer_id, []).append(relationship.tenant_id)
    return found


def _line(
    world: World,
    customer_id: str,
    found: Findings,
    count: _Counts,
    state: State,
    tenant_ids: list[str],
    targets: frozenset[str],
) -> CustomerVerdict:
    customer = world.customers.get(customer_id)
    return CustomerVerdict(
        customer_id=customer_id,
        company_name=customer.company_name if customer else "",
        state=state,
        source_tenants=[world.partner_tenants[t].key for t in tenant_ids if t not in targets],
        has_target_relationship=not targets.isdisjoint(tenant_ids),
        movable=found.movable,
        moved=found.moved,
        source_active=count.source_active,
        target_active=count.target_active,
        twins=sum(twin.excess for twin in found.twins),
        gaps=len(found.gaps),
        overlap_seat_days=sum(o.seat_days for o in found.overlaps if not o.is_preexisting),
        unequal=len(found.parity.unequal),
        moves=found.moves,
    )

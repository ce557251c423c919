"""Use case 9: build a plan from complete snapshots, save it with its checksum."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from tenantfold.domain.facts import BillingModel
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import AgreementContact, CustomerId, Offer, Tenant, TenantId, TenantRole
from tenantfold.domain.plan import PlanCustomer, PlanHeader, PlanRecord
from tenantfold.domain.planner import build_customer
from tenantfold.domain.policy import PlanPolicy
from tenantfold.domain.preflight import PlanContext
from tenantfold.domain.records import BookEntry, Snapshot
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.selection import CustomerSelection, match_selection
from tenantfold.errors import SnapshotIncompleteError
from tenantfold.flow.ports import Clock, Inventory, Ledger
from tenantfold.flow.progress import Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """What a plan is made of beside the ledger. ``selection`` None means every customer of the source tenants.

    ``tenants`` are those of the settings: each needs a complete snapshot, also one that was never read.
    ``billing_models`` are the settings', too; a tenant that is not in it answered the API, so Microsoft bills it.
    """

    consolidation: str
    tenants: Sequence[Tenant]
    inventory: Inventory
    ledger: Ledger
    clock: Clock
    regions: RegionMap
    mapping: Sequence[OfferMapping]
    selection: CustomerSelection | None = None
    policy: PlanPolicy = field(default_factory=PlanPolicy)
    cloud: str = "commercial"
    billing_models: Mapping[TenantId, BillingModel] = field(default_factory=dict)


async def make(task: PlanTask, report: Reporter) -> PlanRecord:
    """Build and save a plan. Raises SnapshotIncompleteError, or InputError for a list that does not fit the book."""
    known = {tenant.id: tenant for tenant in await task.inventory.tenants()}
    tenants = [known.get(tenant.id, tenant) for tenant in task.tenants]
    snapshots = await _complete_snapshots(task.inventory, tenants)
    contacts = await _match(task, snapshots)
    context = await _context(task, tenants, snapshots, contacts)
    header = PlanHeader(
        consolidation=task.consolidation,
        target_id=context.target.id,
        snapshots=tuple((one.tenant_id, one.number) for one in snapshots),
        mapping_digest=_digest(sorted(task.mapping, key=lambda one: one.source_offer_id)),
        selection_digest=_digest(sorted(contacts)) if contacts is not None else "",
    )
    return await task.ledger.save_plan(header, _customers(task, snapshots, context, contacts, report), task.clock.now())


async def _complete_snapshots(inventory: Inventory, tenants: Sequence[Tenant]) -> tuple[Snapshot, ...]:
    """The newest snapshot of every tenant, all complete. A half-written one is never planned on (invariant 9)."""
    found = []
    for tenant in tenants:
        snapshot = await inventory.newest_snapshot(tenant.id)
        if snapshot is None:
            raise SnapshotIncompleteError(
                f"Tenant '{tenant.key}' has no snapshot yet.", next_step=f"Run: tenantfold inventory {tenant.key}"
            )
        if snapshot.completed_at is None:
            raise SnapshotIncompleteError(
                f"Snapshot {snapshot.number} of tenant '{tenant.key}' is half-written ({snapshot.customers} customers "
                "so far).",
                next_step=f"Run: tenantfold inventory {tenant.key} (it continues where it stopped)",
            )
        found.append(snapshot)
    return tuple(found)


Chosen = Mapping[CustomerId, AgreementContact | None]


async def _match(task: PlanTask, snapshots: Sequence[Snapshot]) -> Chosen | None:
    """Match the given list against the book; every row must be a customer we know."""
    if task.selection is None:
        return None
    known = [
        (entry.customer_id, seen.company_name, seen.domain)
        async for entry in task.inventory.book(snapshots)
        for seen in entry.seen
    ]
    return match_selection(task.selection, known)


async def _context(
    task: PlanTask, tenants: Sequence[Tenant], snapshots: Sequence[Snapshot], contacts: Chosen | None
) -> PlanContext:
    target = next(tenant for tenant in tenants if tenant.role is TenantRole.TARGET)
    target_snapshot = next(one for one in snapshots if one.tenant_id == target.id)
    catalog: dict[str, Mapping[str, Offer]] = {}
    for country in target_snapshot.offer_countries:
        catalog[country] = await task.inventory.catalog(target_snapshot, country)
    return PlanContext(
        target=target,
        sources={tenant.id: tenant for tenant in tenants if tenant.role is TenantRole.SOURCE},
        catalog=catalog,
        mapping={one.source_offer_id: one for one in task.mapping},
        regions=task.regions,
        counterparts=await task.ledger.counterparts(),
        contacts={customer: contact for customer, contact in (contacts or {}).items() if contact is not None},
        policy=task.policy,
        cloud=task.cloud,
        today=task.clock.now().date(),
        products={one: await task.inventory.skus(target_snapshot, one) for one in target_snapshot.sku_countries},
        billing_models={one.id: task.billing_models.get(one.id, BillingModel.BILLING_OWNER) for one in tenants},
        earlier=await task.ledger.earlier_runs(),
    )


async def _customers(
    task: PlanTask, snapshots: Sequence[Snapshot], context: PlanContext, chosen: Chosen | None, report: Reporter
) -> AsyncIterator[PlanCustomer]:
    """Stream the plan; a customer whose move has begun is never left out, whatever the list says."""
    done = 0
    async for entry in task.inventory.book(snapshots):
        if chosen is not None and entry.customer_id not in chosen and not _has_begun(entry, context):
            continue
        yield build_customer(entry, context)
        done += 1
        report.update("customers planned", done, None)


def _has_begun(entry: BookEntry, context: PlanContext) -> bool:
    """Whether anything of a customer was given away, or stands at the target, already."""
    if entry.customer_id in context.earlier.begun:
        return True
    return any(one.id in context.counterparts for one in entry.subscriptions)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]

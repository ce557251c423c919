"""Fills a twin from the ledger (simulation room): checks that plan and inventory are fit for it, then streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantfold.domain.model import Tenant, TenantId
from tenantfold.domain.plan import Disposition, PlanRecord
from tenantfold.domain.records import Snapshot
from tenantfold.errors import PlanNotApprovedError, PlanStaleError, SnapshotIncompleteError
from tenantfold.flow.approval import newest_plan
from tenantfold.flow.progress import Reporter
from tenantfold.simulation.acceptance import Acceptance, schedule
from tenantfold.simulation.twin import Twin
from tenantfold.store import Store
from tenantfold.store.rehearsals import Rehearsals

OLD = timedelta(days=7)
"""An inventory older than this is not carried into the present: nobody knows what became of it since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a rehearsal rests on: the plan, its tenants with everything known about them, their snapshots."""

    plan: PlanRecord
    tenants: tuple[Tenant, ...]  # target last
    snapshots: tuple[Snapshot, ...]  # in the order of the tenants

    @property
    def known_until(self) -> datetime:
        """The newest time in the inventory and the plan: before it nothing can be rehearsed."""
        times = [one.completed_at for one in self.snapshots if one.completed_at]
        return max(*times, self.plan.created_at, self.plan.approved_at or self.plan.created_at)

    def starts_at(self, now: datetime) -> datetime:
        """When the rehearsal begins: now, or where the inventory ends if now is before that, or long after it."""
        known_until = self.known_until
        return now if known_until <= now <= known_until + OLD else known_until


async def find_material(store: Store, tenants: Sequence[Tenant], *, draft: bool) -> Material:
    """Find the plan to rehearse and the inventory under it.

    Raises SnapshotIncompleteError (no inventory, or a half-read one), PlanMissingError, PlanNotApprovedError (unless a
    ``draft`` will do), PlanStaleError.
    """
    known = {tenant.id: tenant for tenant in await store.tenants()}
    chosen = tuple(known.get(tenant.id, tenant) for tenant in tenants)
    snapshots = [await _snapshot(store, tenant) for tenant in chosen]
    plan = await newest_plan(store)
    if plan.approved_at is None and not draft:
        raise PlanNotApprovedError(
            f"Plan {plan.checksum[:12]} is not approved.",
            next_step=f"Rehearse it as it is with: tenantfold rehearse --draft. Or approve it first: tenantfold "
            f"approve {plan.checksum[:12]}",
        )
    _check_fresh(plan, {one.tenant_id: one.number for one in snapshots}, chosen)
    return Material(plan=plan, tenants=chosen, snapshots=tuple(snapshots))


async def _snapshot(store: Store, tenant: Tenant) -> Snapshot:
    snapshot = await store.newest_snapshot(tenant.id)
    if snapshot is None:
        raise SnapshotIncompleteError(
            f"Tenant '{tenant.key}' has no inventory yet; there is nothing to make a twin of.",
            next_step=f"Run: tenantfold inventory {tenant.key}",
        )
    if snapshot.completed_at is None:
        raise SnapshotIncompleteError(
            f"The newest inventory of tenant '{tenant.key}' was not read to its end ({snapshot.customers} customers so "
            "far); a twin of it would lack somebody.",
            next_step=f"Run: tenantfold inventory {tenant.key} (it continues where it stopped)",
        )
    return snapshot


def _check_fresh(plan: PlanRecord, newest: dict[TenantId, int], tenants: Sequence[Tenant]) -> None:
    keys = {tenant.id: tenant.key for tenant in tenants}
    for tenant_id, number in plan.header.snapshots:
        if newest.get(tenant_id) != number:
            raise PlanStaleError(
                f"Plan {plan.checksum[:12]} was built on snapshot {number} of tenant "
                f"'{keys.get(tenant_id, tenant_id)}', but snapshot {newest.get(tenant_id, 'none')} is the newest.",
                next_step="Run: tenantfold plan, then rehearse the new plan (with --draft before it is approved).",
            )


async def load_twin(
    store: Store, material: Material, starts_at: datetime, acceptance: Acceptance, seed: int, report: Reporter
) -> Twin:
    """Build the twin of the inventory, with what the ledger did since, and plan who accepts when."""
    rows = Rehearsals(store.database)
    twin = Twin(material.tenants, starts_at, seed)
    target_snapshot = material.snapshots[-1]
    for country in target_snapshot.offer_countries:
        twin.add_offers(country, await rows.kept_offers(target_snapshot, country))
    for country in target_snapshot.sku_countries:
        twin.add_skus(country, await rows.kept_skus(target_snapshot, country))
    done = 0
    for tenant, snapshot in zip(material.tenants, material.snapshots, strict=True):
        async for kept in rows.kept_customers(snapshot):
            twin.add_customer(tenant.id, kept.customer, kept.subscriptions, is_read=kept.is_read)
            done += 1
            report.update("customers into the twin", done, None)
    async for planned in store.plan_customers(material.plan.id, Disposition.MOVE):
        twin.add_plan(planned)
    for customer_id in sorted(await rows.accepted_customers()):
        twin.accepted_since(customer_id)
    counterparts = await store.counterparts()
    ordered = await rows.ordered_items(list(counterparts))
    # bases first: an add-on needs to know what its base became
    for counterpart in sorted(counterparts.values(), key=lambda one: twin.is_add_on(one.source_id)):
        twin.done_since(counterpart, ordered.get(counterpart.source_id))
    twin.finish()
    schedule(twin, await rows.customers_to_move(material.plan.id), acceptance, seed)
    return twin

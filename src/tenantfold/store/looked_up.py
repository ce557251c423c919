"""Store: what the inventory looked up beside the subscriptions, new-commerce SKUs, and what earlier runs taught.

Functions over a connection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, delete, func, or_, select

from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.facts import EarlierRuns, TenantFacts
from tenantfold.domain.journal import OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import CustomerId, Route, Sku, SubscriptionId, TenantRole, WireStatus
from tenantfold.domain.plan import Disposition, PlanItem
from tenantfold.domain.products import LEGACY_AZURE, LICENSE_PRODUCTS
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Snapshot
from tenantfold.domain.states import Origin
from tenantfold.domain.transfer_refusals import not_transferable, with_marketplace
from tenantfold.store import codec, tables
from tenantfold.store.book import newest_shelves
from tenantfold.store.plans import newest_plan_id
from tenantfold.store.snapshots import open_row, snapshot_id
from tenantfold.store.statements import bulk_insert, insert_if_absent, upsert_many

_sku, _intent, _outcome, _plan = tables.snapshot_sku.c, tables.intent.c, tables.outcome.c, tables.plan.c
_fact = tables.snapshot_fact.c
_BEGUN = (
    select(_intent.value, _outcome.value)
    .select_from(tables.intent.outerjoin(tables.outcome))
    .where(
        _intent.kind.in_([OpKind.SUBMIT_TRANSFER.value, OpKind.OPEN_SERVICE_REQUEST.value, OpKind.STOP_RENEWAL.value])
    )
    .order_by(_intent.seq)
)
_APPROVED = (
    select(_plan.id)
    .where(_plan.complete, _plan.approved_at.is_not(None))
    .order_by(_plan.id.desc())
    .limit(1)
    .scalar_subquery()
)
_IDS = 500  # in one statement; both databases limit the number of parameters


# --- beside the subscriptions ---------------------------------------------------------------------------------------


def save_facts(conn: Connection, snapshot: Snapshot, facts: Sequence[TenantFacts]) -> None:
    """Keep what was looked up of some listed customers; saving one again replaces it."""
    row = open_row(conn, snapshot)
    rows = [{"snapshot_id": row.id, "customer_id": one.customer_id, "value": codec.to_json(one)} for one in facts]
    if rows:
        upsert_many(conn, tables.snapshot_fact, rows)


def facts_ever_seen(conn: Connection, customer_id: CustomerId) -> list[TenantFacts]:
    """What all inventories looked up of a customer, oldest first: what moved is in older ones only."""
    query = select(_fact.value).where(_fact.customer_id == customer_id).order_by(_fact.snapshot_id)
    return codec.tenant_facts(conn.execute(query).scalars())


def planned_to_move(conn: Connection, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
    """Which of these customers the newest plan moves or calls blocked."""
    planned = tables.plan_customer.c
    query = select(planned.customer_id).where(
        planned.plan_id == newest_plan_id(conn),
        planned.customer_id.in_(ids),
        planned.disposition.in_([Disposition.MOVE.value, Disposition.BLOCKED.value]),
    )
    return frozenset(CustomerId(one) for one in conn.execute(query).scalars())


# --- new-commerce SKUs ----------------------------------------------------------------------------------------------


def save_skus(conn: Connection, snapshot: Snapshot, country: str, skus: Sequence[Read[Sku]]) -> None:
    """Keep the new-commerce SKUs of a country, replacing what was kept of it in this snapshot."""
    row = open_row(conn, snapshot)
    insert_if_absent(
        conn, tables.snapshot_sku_catalog, [{"snapshot_id": row.id, "country": country}], ["snapshot_id", "country"]
    )
    conn.execute(delete(tables.snapshot_sku).where(_sku.snapshot_id == row.id, _sku.country == country))
    rows = [(row.id, country, read.value.id, codec.to_json(read.value), read.document) for read in skus]
    bulk_insert(conn, tables.snapshot_sku, rows)


def skus(conn: Connection, snapshot: Snapshot, country: str) -> Mapping[str, Sku]:
    """The new-commerce SKUs of a country by ``PRODUCT:SKU``, as the snapshot holds them."""
    query = select(_sku.value).where(_sku.snapshot_id == snapshot_id(conn, snapshot), _sku.country == country)
    values = conn.execute(query.order_by(_sku.sku_id)).scalars()
    return {one.id: one for one in codec.skus(values)}


def license_countries(conn: Connection) -> tuple[str, ...]:
    """The countries of the source customers who hold licenses in the newest snapshots, in order.

    New-commerce ones in every status, and legacy ones that are active: they may have to become new commerce (R-121).
    """
    sources = [shelf.row_id for shelf in newest_shelves(conn, complete=False) if shelf.role is TenantRole.SOURCE]
    customer, held = tables.snapshot_customer.c, tables.snapshot_subscription.c
    legacy = and_(
        held.wire_status == WireStatus.ACTIVE.value,
        held.offer_id.not_like("%:%"),
        func.upper(held.offer_id).not_like(f"{LEGACY_AZURE}%"),
    )
    query = (
        select(customer.country)
        .select_from(tables.snapshot_customer.join(tables.snapshot_subscription))
        .where(
            customer.snapshot_id.in_(sources),
            customer.country != "",
            or_(held.offer_id.startswith(LICENSE_PRODUCTS, autoescape=True), legacy),
        )
        .distinct()
        .order_by(customer.country)
    )
    return tuple(conn.execute(query).scalars())


# --- what earlier runs taught ---------------------------------------------------------------------------------------


def earlier_runs(conn: Connection) -> EarlierRuns:
    """What was refused for a transfer, what was given to one, and what an approved plan promised to buy again."""
    settled = defaultdict(list)
    under_way, running_out = _handed_off(conn), _Owned()
    rows = conn.execute(_BEGUN).all()
    outcomes = {one.intent_key: one for one in codec.outcomes(row[1] for row in rows if row[1] is not None)}
    for intent in codec.intents(row[0] for row in rows):
        outcome: Outcome | None = outcomes.get(intent.key)
        if outcome is not None:
            settled[intent.customer_id].append((intent, outcome))
        if outcome is None or outcome.kind is not OutcomeKind.FAILED:
            begun = running_out if intent.kind is OpKind.STOP_RENEWAL else under_way
            begun.update(dict.fromkeys(intent.subjects, intent.customer_id))
    done, unverified = _standing(conn)
    under_way = {one: customer for one, customer in (under_way | unverified).items() if one not in done}
    running_out = {one: customer for one, customer in running_out.items() if one not in done}
    return EarlierRuns(
        refused={CustomerId(one): found for one, known in settled.items() if (found := not_transferable(known))},
        with_marketplace={
            CustomerId(one): found for one, known in settled.items() if (found := with_marketplace(known))
        },
        under_way=frozenset(under_way),
        carried=_carried(conn, under_way),
        promised=_promised(conn) | running_out.keys(),
        begun=frozenset((under_way | running_out).values()),
        moved=frozenset(done.values()),
    )


_Owned = dict[SubscriptionId, CustomerId]
"""Source subscriptions, and whose they are."""


def _handed_off(conn: Connection) -> _Owned:
    """What a person says was given to Microsoft's support."""
    column = tables.evidence.c
    query = select(column.subscription_id, column.customer_id).where(column.task == TaskKind.HANDED_OFF.value)
    return {SubscriptionId(row[0]): CustomerId(row[1]) for row in conn.execute(query)}


def _standing(conn: Connection) -> tuple[_Owned, _Owned]:
    """What is done, and what stands at the target by another route than ``recreate`` and is not verified."""
    column = tables.counterpart.c
    query = select(column.source_id, column.customer_id, column.origin, column.verified_at, column.suspended_at)
    done: _Owned = {}
    unverified: _Owned = {}
    for source_id, customer_id, origin, verified_at, suspended_at in conn.execute(query):
        is_cutover = Origin(origin).is_cutover
        if (suspended_at if is_cutover else verified_at) is not None:
            done[source_id] = customer_id
        elif not is_cutover:
            unverified[source_id] = customer_id
    return done, unverified


def _carried(conn: Connection, under_way: _Owned) -> dict[CustomerId, tuple[PlanItem, ...]]:
    """The items under way as the newest approved plan has them: a source may not list them any more."""
    column = tables.plan_customer.c
    query = select(column.value).where(column.plan_id == _APPROVED)
    found = {}
    ids = sorted(set(under_way.values()))
    for start in range(0, len(ids), _IDS):
        some = query.where(column.customer_id.in_(ids[start : start + _IDS]))
        for one in codec.plan_customers(conn.execute(some).scalars()):
            found[one.customer_id] = tuple(
                item for item in one.items if item.is_carried_out and item.subscription_id in under_way
            )
    return found


def _promised(conn: Connection) -> frozenset[SubscriptionId]:
    item = tables.plan_item.c
    query = select(item.subscription_id).where(item.plan_id == _APPROVED, item.route == Route.EXPIRE_AND_REBUY.value)
    return frozenset(SubscriptionId(one) for one in conn.execute(query).scalars())

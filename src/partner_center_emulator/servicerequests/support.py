"""Microsoft's support people who move legacy Azure subscriptions (world room, rules K, commerce reference 4.4 and 5).

When they work and what they get wrong is decided by ``actors/support.py``. After a move the source's subscription is
suspended (a switch: disabled, deleted), the target has an active one with the same entitlement id, and the Azure
subscription itself has noticed nothing.
"""

from __future__ import annotations

import re
from random import Random

from partner_center_emulator.actors import support
from partner_center_emulator.azure import models as azure
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.models import RelationshipIndex
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.relationships.models import region_of
from partner_center_emulator.state.azure import HandOver, Note, ServiceRequest
from partner_center_emulator.state.behaviour import HandOff
from partner_center_emulator.subscriptions import lapse
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.world import Subscription

KIND = "azure_move"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AUTHOR = "Microsoft Support"

behaviour(
    "actors: support",
    source="documented",
    page="rules R-177",
    note="Moves MS-AZR-0145P only, and only when the target has the relationship and is in the customer's region",
)
behaviour(
    "actors: support",
    source="documented",
    page="commerce 5",
    note="After the move: suspended at the source, active at the target, other subscription id, same entitlement id",
)
behaviour(
    "actors: support",
    source="assumed",
    page="rules R-185",
    note="A ticket moves what its text or the control plane names: ids of subscriptions, or names of companies",
)
behaviour(
    "actors: support",
    source="assumed",
    page="rules K",
    note="Mistakes: asks back, leaves one out, moves a wrong one and puts it back after a complaint (a note)",
)


def take(
    emulator: Emulator,
    ticket: ServiceRequest,
    *,
    subscription_ids: list[str],
    customer_ids: list[str],
    target_id: str,
) -> None:
    """Hand a ticket to support if it names a target and something legacy of Azure; does nothing otherwise."""
    text = f"{ticket.title}\n{ticket.description}".lower()
    named = set(_GUID.findall(text))
    target_id = target_id.lower() or next((key for key in named if _is_other(emulator, ticket, key)), "")
    wanted = {item.lower() for item in subscription_ids} | named
    customers = {item.lower() for item in customer_ids} | _companies(emulator, ticket, text)
    chosen = [
        row.id
        for row in emulator.world.subscriptions.values()
        if row.tenant_id == ticket.tenant_id
        and row.offer_id == azure.LEGACY_OFFER
        and not row.moved_to
        and ({row.id, row.entitlement_id} & wanted or row.customer_id in customers)
    ]
    if not chosen or target_id not in emulator.world.partner_tenants:
        return
    hand_off = support.hand_over(
        emulator, KIND, ticket.id, tenant_id=ticket.tenant_id, customer_id=ticket.customer_id or ""
    )
    emulator.world.azure.hand_overs[ticket.id] = HandOver(
        request_id=ticket.id,
        hand_off_id=hand_off.id,
        source_tenant_id=ticket.tenant_id,
        target_tenant_id=target_id,
        subscription_ids=chosen,
    )


def wake(emulator: Emulator, ticket: ServiceRequest) -> None:
    """Let support look again after a note, if there is anything left to do or to put right."""
    over = emulator.world.azure.hand_overs.get(ticket.id)
    hand_off = emulator.world.behaviour.support.hand_offs.get(over.hand_off_id) if over else None
    if over is None or hand_off is None or hand_off.status == "open":
        return
    if _left(over) or over.wrongly_moved:
        ticket.status, ticket.closed_at = "open", None
        support.again(emulator, hand_off)


def let_go(emulator: Emulator, ticket: ServiceRequest) -> None:
    """Take the work back from support: the partner has closed the ticket."""
    over = emulator.world.azure.hand_overs.get(ticket.id)
    hand_off = emulator.world.behaviour.support.hand_offs.get(over.hand_off_id) if over else None
    if hand_off is not None and hand_off.status == "open":
        support.withdraw(hand_off)


@support.work(KIND)
def move(emulator: Emulator, hand_off: HandOff) -> None:
    """Do the work of one ticket, with the mistake that fate has in store for this attempt."""
    over = emulator.world.azure.hand_overs[hand_off.subject_id]
    ticket = emulator.world.azure.service_requests[over.request_id]
    if hand_off.mistake == "asks_back":
        _say(emulator, ticket, "Please attach the signed form Change of Cloud Solution Provider.", "attention_needed")
        return
    for wrong in over.wrongly_moved:
        _put_back(emulator, over, wrong)
    over.wrongly_moved = []
    todo = _left(over)
    if hand_off.mistake in ("partial", "wrong_item"):
        left_out = todo.pop()
        stranger = _stranger(emulator, over, left_out) if hand_off.mistake == "wrong_item" else None
        if stranger is not None:
            _move_one(emulator, over, stranger)
            over.wrongly_moved.append(stranger)
    problems = [problem for row_id in todo if (problem := _move_one(emulator, over, row_id))]
    if problems:
        _say(emulator, ticket, " ".join(problems), "attention_needed")
    else:
        _say(emulator, ticket, "The subscriptions were moved; billing has switched today.", "closed")


def _left(over: HandOver) -> list[str]:
    return [row_id for row_id in over.subscription_ids if row_id not in over.moved]


def _move_one(emulator: Emulator, over: HandOver, row_id: str) -> str:
    """Move one subscription; return the sentence that says why not, or an empty one."""
    world = emulator.world
    old, target = world.subscriptions[row_id], world.partner_tenants[over.target_tenant_id]
    customer = world.customers[old.customer_id]
    if old.status != "active":
        return f"The subscription {old.id} is not active."
    if not emulator.sees(target.id, customer.id):
        return f"{customer.company_name} is no customer of the new partner."
    if region_of(customer.address.country) != region_of(target.address.country):
        return f"{customer.company_name} is in another region than the new partner."
    new = azure.succeed_legacy(emulator, old, target, "")
    over.moved[old.id] = new.id
    if change(emulator, old, "", status=_becomes(emulator, old)):
        world.changes[-1].after["cause"] = "support"
    lapse.arm(emulator, old)
    return ""


def _put_back(emulator: Emulator, over: HandOver, row_id: str) -> None:
    old = emulator.world.subscriptions[row_id]
    new = emulator.world.subscriptions[over.moved.pop(row_id)]
    change(emulator, old, "", status="active")
    entitlement = emulator.world.azure.entitlements.get(old.entitlement_id or "")
    if entitlement is not None:
        azure.move_entitlement(emulator, entitlement, old, "")
    change(emulator, new, "", status="deleted")
    new.moved_to = old.id


def _becomes(emulator: Emulator, old: Subscription) -> str:
    habit = emulator.world.azure.source_becomes
    if habit != "mixed":
        return habit
    return Random(f"{emulator.world.seed}/{old.id}").choice(("suspended", "disabled", "deleted"))


def _stranger(emulator: Emulator, over: HandOver, left_out: str) -> str | None:
    """Return another movable legacy Azure subscription that nobody asked for; of the same customer if there is one."""
    wanted = emulator.world.subscriptions[left_out].customer_id
    rows = [
        row
        for row in emulator.world.subscriptions.values()
        if row.tenant_id == over.source_tenant_id
        and row.offer_id == azure.LEGACY_OFFER
        and row.status == "active"
        and row.id not in over.subscription_ids
        and emulator.sees(over.target_tenant_id, row.customer_id)
    ]
    rows.sort(key=lambda row: row.customer_id != wanted)
    return rows[0].id if rows else None


def _say(emulator: Emulator, ticket: ServiceRequest, text: str, status: str) -> None:
    now = emulator.clock.now()
    ticket.notes.append(Note(author=_AUTHOR, at=now, text=text))
    ticket.status, ticket.modified_at = status, now
    ticket.closed_at = now if status == "closed" else None


def _is_other(emulator: Emulator, ticket: ServiceRequest, key: str) -> bool:
    return key in emulator.world.partner_tenants and key != ticket.tenant_id


def _companies(emulator: Emulator, ticket: ServiceRequest, text: str) -> set[str]:
    """Return the tenant's customers whose company name stands in the text and that have anything here."""
    index = emulator.derived(CommerceIndex)
    found: set[str] = set()
    for key in emulator.derived(RelationshipIndex).keys(ticket.tenant_id):
        customer_id = key.rpartition("/")[2]
        if emulator.world.customers[customer_id].company_name.lower() in text and any(
            True for _ in index.subscriptions_of(ticket.tenant_id, customer_id)
        ):
            found.add(customer_id)
    return found

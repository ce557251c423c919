"""HTTP side of transfers (wire room, commerce 4.1, 4.2); lists and eligibilities are bare JSON arrays."""

from __future__ import annotations

from partner_center_emulator.audit import models as audit
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.orders.models import wire_order
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.state.transfers import Transfer
from partner_center_emulator.transfers import control, legacy, modern
from partner_center_emulator.transfers.models import answer, check_open, find_transfer, list_transfers, withdraw
from partner_center_emulator.transfers.wire_form import wire_result, wire_transfer
from partner_center_emulator.wire import Json, field, text_field
from partner_center_emulator.world import Customer

_ADMINS = frozenset({"admin_agent", "global_admin"})
_AGENTS = frozenset({"admin_agent", "sales_agent", "global_admin"})


def _user(call: Call) -> str:
    return call.principal.object_id or call.principal.app_id


def _note(call: Call, customer: Customer, transfer: Transfer, operation: str) -> None:
    activity = audit.Activity(
        operation_type=operation,
        resource_type="transfer",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
        new_value=wire_transfer(transfer, call.tenant.id),
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)


def _find(call: Call, customer: Customer) -> Transfer:
    return find_transfer(call.emulator, call.tenant.id, customer.id, call.path["transfer"])


async def create_transfer(call: Call) -> Reply:
    """Answer ``POST /customers/{customer}/transfers``: 201; lines by the source make it a legacy transfer."""
    customer = call.customer()
    members = call.members()
    target = text_field(members, "targetPartnerTenantId").lower()
    is_source = text_field(members, "sourcePartnerTenantId").lower() == call.tenant.id and target != call.tenant.id
    if is_source and field(members, "lineItems"):
        transfer = legacy.create(call.emulator, call.tenant, customer, members, _user(call))
    elif target not in ("", call.tenant.id):
        raise refusal(900400, "the target must be the calling partner.")
    else:
        if call.principal.is_user and not call.principal.roles & _ADMINS:
            raise refusal(900150)
        transfer = modern.create(call.emulator, call.tenant, customer, members, _user(call))
    modern.record(call.emulator, transfer, "transfer.created", call.request_id)
    _note(call, customer, transfer, "create_transfer")
    return Reply(wire_transfer(transfer, call.tenant.id), 201)


async def read_transfers(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/transfers``: a bare array, incoming and outgoing."""
    customer = call.customer()
    found = list_transfers(call.emulator, call.tenant.id, customer.id)
    return Reply([wire_transfer(transfer, call.tenant.id) for transfer in found])


async def read_transfer(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/transfers/{transfer}``."""
    return Reply(wire_transfer(_find(call, call.customer()), call.tenant.id))


async def update_transfer(call: Call) -> Reply:
    """Answer ``PATCH /customers/{customer}/transfers/{transfer}``: submit, reject or cancel."""
    customer = call.customer()
    transfer = _find(call, customer)
    answer(call.emulator, transfer, call.tenant.id, call.members(), call.request_id, _user(call))
    _note(call, customer, transfer, "update_transfer")
    return Reply(wire_transfer(transfer, call.tenant.id))


async def delete_transfer(call: Call) -> Reply:
    """Answer ``DELETE /customers/{customer}/transfers/{transfer}``: the source takes a legacy request back, 204."""
    customer = call.customer()
    transfer = _find(call, customer)
    withdraw(call.emulator, transfer, call.tenant.id, call.request_id)
    _note(call, customer, transfer, "update_transfer")
    return Reply(None, 204)


async def accept_transfer(call: Call) -> Reply:
    """Answer ``POST /customers/{customer}/transfers/{transfer}/accept``: the target takes a legacy request."""
    customer = call.customer()
    transfer = _find(call, customer)
    check_open(transfer)
    if not transfer.is_legacy:
        raise refusal(900102, "a transfer of new commerce is answered by its source.")
    if call.tenant.id != transfer.target_tenant_id:
        raise refusal(900308)
    legacy.accept(call.emulator, transfer, customer, call.request_id)
    _note(call, customer, transfer, "update_transfer")
    return Reply(wire_result(transfer, _orders(call, transfer)))


def _orders(call: Call, transfer: Transfer) -> list[Json]:
    lines = [row for line in transfer.lines for row in (line, *line.add_on_lines)]
    return [_as_sold(wire_order(call.world.orders[row.order_id])) for row in lines if row.order_id is not None]


def _as_sold(order: Json) -> Json:
    lines = [{**line, "termDuration": "P1Y", "transactionType": "New"} for line in _lines(order)]
    return {**order, "lineItems": lines}


def _lines(order: Json) -> list[Json]:
    lines = order["lineItems"]
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


async def read_eligibility(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/transferseligibility``: a bare array; only directtoindirect exists."""
    customer = call.customer()
    kind = call.query.get("transfertype", "")
    if kind.lower() not in ("", "directtoindirect"):
        raise refusal(900126, kind)
    found = legacy.eligibilities(call.emulator, call.tenant.id, customer.id)
    return Reply(
        [
            {"id": row.subscription_id, "isEligible": not row.reason, **({"reason": row.reason} if row.reason else {})}
            for row in found
        ]
    )


_LIST = "/v1/customers/{customer}/transfers"
_ONE = f"{_LIST}/{{transfer}}"
_ELIGIBILITY = "/v1/customers/{customer}/transferseligibility"

ROUTES: tuple[Route | Page, ...] = (
    Route("POST", _LIST, create_transfer, roles=_AGENTS),
    Route("GET", _LIST, read_transfers, roles=_AGENTS),
    Route("GET", _ONE, read_transfer, roles=_AGENTS),
    Route("PATCH", _ONE, update_transfer, roles=_AGENTS),
    Route("DELETE", _ONE, delete_transfer, roles=_AGENTS),
    Route("POST", f"{_ONE}/accept", accept_transfer, roles=_AGENTS),
    Route("GET", _ELIGIBILITY, read_eligibility, roles=_AGENTS),
    *control.ROUTES,
)

_DOCUMENTED = (
    (f"POST {_LIST}", "commerce 4.1", "The target creates: Pending, no lines; 900148, 900136 to 900138, 900147"),
    (f"POST {_LIST}", "commerce 4.2", "With lineItems and the caller as source: legacy, Active at once"),
    (f"GET {_LIST}", "commerce 4.1", "A bare array"),
    (f"GET {_ONE}", "commerce 4.1", "404 code 900100; the target sees the lines only when all is over"),
    (f"PATCH {_ONE}", "commerce 4.1", "The source submits lines: InProgress, minutes later Complete"),
    (f"PATCH {_ONE}", "commerce 4.1", "The target cancels while Pending; 409 900101 and 400 900102 afterwards"),
    (f"PATCH {_ONE}", "rules R-147", "Expired 30 days after creation"),
    (f"PATCH {_ONE}", "rules R-149", "Seats, term, end date and licenses stay; ids of subscription and order are new"),
    (f"PATCH {_ONE}", "rules R-150", "At most 25 items"),
    (f"PATCH {_ONE}", "rules R-166", "Retries for three days, then Failed for each line that did not move"),
    (f"PATCH {_ONE}", "rules R-167", "One inactive item refuses the whole submission"),
    (f"PATCH {_ONE}", "rules R-170", "MS-AZR-0145P becomes an Azure subscription under the target's plan"),
    (f"POST {_ONE}/accept", "commerce 4.2", "The target accepts: orders and errors; each line Complete or Failed"),
    (f"POST {_ONE}/accept", "rules R-160", "Seats are those of the request, not of today"),
    (f"POST {_ONE}/accept", "rules R-161", "Licenses are suspended at the source, Azure is no longer listed"),
    (f"DELETE {_ONE}", "commerce 4.2", "The source withdraws: 204"),
    (f"GET {_ELIGIBILITY}", "commerce 4.2", "A bare array with a reason for those that are not eligible"),
)
_ASSUMED = (
    (f"POST {_LIST}", "commerce 10", "transferDirection is 1 for the target and 2 for the source"),
    (f"POST {_LIST}", "commerce 4.1", "One open request per customer, source and target: 409 code 900101"),
    (f"POST {_LIST}", "commerce 4.1", "900147: the domain is another customer's; 900400: unknown or far source"),
    (f"POST {_LIST}", "core 2.5", "900131 to 900133 when Azure is asked for by name, 900139 when it comes unasked"),
    (f"PATCH {_ONE}", "commerce 10", "The body of a submission: status InProgress and lineItems with subscriptionId"),
    (f"PATCH {_ONE}", "commerce 4.1", "Reject is the value of a rejection in the new form too"),
    (f"PATCH {_ONE}", "commerce 4.1", "PartiallyComplete and Failed also end a transfer of the new form"),
    (f"PATCH {_ONE}", "rules R-154", "Scheduled changes are dropped, promotions and seat windows stay"),
    (f"PATCH {_ONE}", "rules R-166", "A retry every hour"),
    (f"PATCH {_ONE}", "commerce 4.1", "Webhook events complete-transfer and fail-transfer for both sides"),
    (f"GET {_ELIGIBILITY}", "rules R-159", "Base subscriptions only; add-ons follow their base"),
)
for _key, _page, _text in _DOCUMENTED:
    behaviour(_key, source="documented", page=_page, note=_text)
for _key, _page, _text in _ASSUMED:
    behaviour(_key, source="assumed", page=_page, note=_text)

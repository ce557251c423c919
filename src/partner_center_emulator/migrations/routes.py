"""HTTP side of migrations (wire room, commerce reference 4.3); lists and events are bare JSON arrays."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.migrations import models, schedules
from partner_center_emulator.migrations.limits import admit_create, admit_validation
from partner_center_emulator.migrations.wire_form import wire_events, wire_migration, wire_schedule
from partner_center_emulator.migrations.wish import read_wishes, validation_error
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.state.transfers import MigrationSchedule
from partner_center_emulator.wire import Json, attributes, text_field

_AGENTS = frozenset({"admin_agent", "sales_agent", "global_admin"})
_PAGE = 300


async def validate(call: Call) -> Reply:
    """Answer ``POST .../migrations/newcommerce/validate``: whether a migration would be possible, and why not."""
    customer = call.customer()
    admit_validation(call, customer.id)
    members = call.members()
    answer: Json = {
        "currentSubscriptionId": text_field(members, "currentSubscriptionId").lower(),
        "isEligible": True,
        "errors": [],
        "addOnMigrations": [],
        "attributes": attributes("NewCommerceEligibility"),
    }
    try:
        base, *add_ons = read_wishes(call.emulator, call.tenant.id, customer.id, members)
    except ApiError as error:
        if error.code in (2000, 20003):
            raise
        return Reply(answer | {"isEligible": False, "errors": [validation_error(error)]})
    flat = [
        {
            "currentSubscriptionId": wish.subscription.id,
            "isEligible": True,
            "catalogItemId": wish.catalog_item_id,
            "errors": [],
        }
        for wish in add_ons
    ]
    return Reply(answer | {"catalogItemId": base.catalog_item_id, "addOnMigrations": flat})


async def create(call: Call) -> Reply:
    """Answer ``POST .../migrations/newcommerce``: the migration, Processing."""
    customer = call.customer()
    admit_create(call)
    migration = models.create(call.emulator, call.tenant.id, customer.id, call.members(), call.request_id)
    return Reply(wire_migration(migration))


async def read_one(call: Call) -> Reply:
    """Answer ``GET .../migrations/newcommerce/{migration}``."""
    customer = call.customer()
    return Reply(wire_migration(models.find(call.emulator, call.tenant.id, customer.id, call.path["migration"])))


async def read_all(call: Call) -> Reply:
    """Answer ``GET /migrations/newcommerce``: a bare array; further pages by the token in a response header."""
    found = models.search(call.emulator, call.tenant.id, **_wanted(call))
    return _page(call, [wire_migration(row) for row in found])


async def read_events(call: Call) -> Reply:
    """Answer ``GET .../migrations/newcommerce/events``: a bare array."""
    customer = call.customer()
    migration_id = call.query.get("migration_id") or call.query.get("migrationid", "")
    subscription_id = call.query.get("current_subscription_id") or call.query.get("currentsubscriptionid", "")
    if migration_id:
        found = [models.find(call.emulator, call.tenant.id, customer.id, migration_id)]
    elif subscription_id:
        found = models.search(call.emulator, call.tenant.id, customer_id=customer.id, subscription_id=subscription_id)
    else:
        raise refusal(2000, "Name a migration_id or a current_subscription_id.")
    return Reply([event for row in found for event in wire_events(row)])


async def create_schedule(call: Call) -> Reply:
    """Answer ``POST .../migrations/newcommerce/schedules``."""
    customer = call.customer()
    return Reply(wire_schedule(schedules.create(call.emulator, call.tenant.id, customer.id, call.members())))


def _schedule(call: Call) -> MigrationSchedule:
    customer = call.customer()
    return schedules.find(call.emulator, call.tenant.id, customer.id, call.path["schedule"])


async def read_schedule(call: Call) -> Reply:
    """Answer ``GET .../migrations/newcommerce/schedules/{schedule}``."""
    return Reply(wire_schedule(_schedule(call)))


async def update_schedule(call: Call) -> Reply:
    """Answer ``PUT .../migrations/newcommerce/schedules/{schedule}``."""
    schedule = _schedule(call)
    schedules.update(call.emulator, schedule, call.members())
    return Reply(wire_schedule(schedule))


async def cancel_schedule(call: Call) -> Reply:
    """Answer ``POST .../migrations/newcommerce/schedules/{schedule}/cancel``."""
    schedule = _schedule(call)
    schedules.cancel(call.emulator, schedule)
    return Reply(wire_schedule(schedule))


async def read_schedules(call: Call) -> Reply:
    """Answer ``GET /migrations/newcommerce/schedules``: a bare array, paged like the list of migrations."""
    found = schedules.search(call.emulator, call.tenant.id, **_wanted(call))
    return _page(call, [wire_schedule(row) for row in found])


def _wanted(call: Call) -> dict[str, str]:
    wanted = {
        "customer_id": call.query.get("customertenantid", ""),
        "subscription_id": call.query.get("currentsubscriptionid", ""),
        "reference": call.query.get("externalreferenceid", ""),
    }
    if not any(wanted.values()):
        raise refusal(2000, "Name at least one of CustomerTenantId, CurrentSubscriptionId, ExternalReferenceId.")
    return wanted


def _page(call: Call, rows: list[Json]) -> Reply:
    size = call.whole_number("pagesize", _PAGE, most=_PAGE) or _PAGE
    token = call.headers.get("ms-continuationtoken") or call.query.get("continuationtoken", "")
    # the token is the id after which to go on, so that new migrations neither skip nor repeat any
    ids = [str(row["id"]) for row in rows]
    if token and token not in ids:
        raise refusal(2000, "The continuation token is not known.")
    start = ids.index(token) + 1 if token else 0
    page = rows[start : start + size]
    more = start + size < len(rows)
    return Reply(page, headers={"MS-ContinuationToken": str(page[-1]["id"])} if more else None)


_ALL = "/v1/migrations/newcommerce"
_BASE = "/v1/customers/{customer}/migrations/newcommerce"
_SCHEDULES = f"{_BASE}/schedules"

ROUTES: tuple[Route, ...] = (
    Route("POST", f"{_BASE}/validate", validate, roles=_AGENTS),
    Route("POST", _BASE, create, roles=_AGENTS),
    Route("GET", f"{_BASE}/{{migration}}", read_one, roles=_AGENTS),
    Route("GET", _ALL, read_all, roles=_AGENTS),
    Route("GET", f"{_BASE}/events", read_events, roles=_AGENTS),
    Route("POST", _SCHEDULES, create_schedule, roles=_AGENTS),
    Route("GET", f"{_SCHEDULES}/{{schedule}}", read_schedule, roles=_AGENTS),
    Route("PUT", f"{_SCHEDULES}/{{schedule}}", update_schedule, roles=_AGENTS),
    Route("POST", f"{_SCHEDULES}/{{schedule}}/cancel", cancel_schedule, roles=_AGENTS),
    Route("GET", f"{_ALL}/schedules", read_schedules, roles=_AGENTS),
)

_DOCUMENTED = (
    (f"POST {_BASE}/validate", "core 4", "450 calls in five minutes per partner and customer, then 429"),
    (f"POST {_BASE}/validate", "commerce 4.3", "Error 5: there is no equivalent offer yet"),
    (f"POST {_BASE}", "core 4", "100 calls in five minutes per partner, then 429"),
    (
        f"POST {_BASE}",
        "commerce 4.3",
        "Refused in the first month, in the last 24 hours, for trials, Gov and Nonprofit",
    ),
    (f"POST {_BASE}", "commerce 4.3", "A bundle moves or fails as a whole; Microsoft repairs within 72 hours"),
    (f"GET {_ALL}", "commerce 4.3", "A bare array; at least one id; token in a response header, at most 300"),
    (f"GET {_BASE}/events", "commerce 4.3", "A bare array with the four published events"),
    (f"POST {_SCHEDULES}", "commerce 4.3", "targetDate or migrateOnRenewal"),
)
_ASSUMED = (
    (f"GET {_BASE}/{{migration}}", "commerce 4.3", "404 code 900224 for one that is not this partner's and customer's"),
    (f"GET {_SCHEDULES}/{{schedule}}", "commerce 4.3", "404 code 900224"),
    (f"PUT {_SCHEDULES}/{{schedule}}", "commerce 4.3", "Replaces an open schedule; 400 code 2000 for a closed one"),
    (f"POST {_SCHEDULES}/{{schedule}}/cancel", "commerce 4.3", "200 with the schedule, Cancelled"),
    (f"GET {_ALL}/schedules", "commerce 4.3", "The parameters of the list of migrations"),
    (f"POST {_BASE}/validate", "commerce 4.3", "Numbers other than 5: our own order, 0 for anything else"),
    (f"POST {_BASE}", "commerce 4.3", "200; the source is suspended once the new one exists (a switch: at the start)"),
    (f"POST {_BASE}", "commerce 4.3", "Takes an hour (a switch); all active add-ons must come along, else 900262"),
    (f"POST {_BASE}", "commerce 4.3", "Without purchaseFullTerm the new term ends with the legacy one"),
    (
        f"POST {_SCHEDULES}",
        "commerce 4.3",
        "Begins at midnight UTC of the day, or a minute after the renewal with a full term",
    ),
    (f"POST {_SCHEDULES}", "commerce 4.3", "The status values Active, Completed and Failed"),
)
for _key, _page_name, _text in _DOCUMENTED:
    behaviour(_key, source="documented", page=_page_name, note=_text)
for _key, _page_name, _text in _ASSUMED:
    behaviour(_key, source="assumed", page=_page_name, note=_text)

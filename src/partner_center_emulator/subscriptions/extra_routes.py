"""HTTP side of what hangs on subscriptions (wire room, commerce 3.1): provisioning, activation, custom end dates."""

from __future__ import annotations

from datetime import date

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.orders import activation
from partner_center_emulator.orders.reading import read_day
from partner_center_emulator.orders.wanted import allowed_ends
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.subscriptions import conversions, transitions
from partner_center_emulator.subscriptions.models import find_subscription
from partner_center_emulator.subscriptions.months import TERM_MONTHS
from partner_center_emulator.wire import Json, attributes, collection, wire_date
from partner_center_emulator.world import Subscription

_BUYERS = frozenset({"admin_agent", "sales_agent", "global_admin"})
_STATUS_WORDS = {"active": "success", "pending": "pending"}


def _subscription(call: Call) -> Subscription:
    return find_subscription(call.world, call.tenant.id, call.customer().id, call.path["subscription"])


async def read_provisioning_status(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/provisioningstatus``: licenses in the customer's tenant."""
    found = _subscription(call)
    terms = call.world.commerce.terms.get(found.id)
    waiting = terms is not None and terms.pending is not None
    body: Json = {
        "skuId": terms.sku_id if terms else found.offer_id,
        "status": "pending" if waiting else _STATUS_WORDS.get(found.status, "failed"),
        "quantity": found.quantity,
        "endDate": wire_date(found.commitment_end),
        "attributes": attributes("SubscriptionProvisioningStatus"),
    }
    return Reply(body)


async def read_activation_links(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/activationlinks`` (SaaS)."""
    return Reply(collection(activation.subscription_links(call.emulator, _subscription(call))))


async def post_activation(call: Call) -> Reply:
    """Answer ``POST .../subscriptions/{subscription}/activate``: what the customer does behind the link."""
    return Reply(activation.activate(call.emulator, _subscription(call), call.request_id))


async def read_custom_ends(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/subscriptions/customTermEndDates``: end dates a new purchase may take."""
    customer = call.customer()
    duration = call.query.get("term_duration", "").upper()
    if duration not in TERM_MONTHS:
        raise refusal(2000, "The parameter term_duration must be P1M, P1Y or P3Y.")
    start = read_day(call.query, "term_start_date") or call.clock.now().date()
    wanted = call.query.get("target_coterm_subscription_id", "").lower()
    rows = allowed_ends(call.emulator, call.tenant, customer, duration, start)
    return Reply(collection([_wire_end(*row) for row in rows if not wanted or wanted in row[2]]))


async def read_eligibilities(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/transitionEligibilities``: what it may be upgraded to."""
    return Reply(collection(transitions.eligibilities(call.emulator, _subscription(call))))


async def read_transitions(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/transitions``: its upgrades, or one by ``operationId``."""
    wanted = call.query.get("operationid", "").lower()
    done = transitions.terms_of(call.emulator, _subscription(call)).transitions
    rows = [transitions.wire_transition(row) for row in done if wanted in ("", row.operation_id)]
    return Reply(collection(rows))


async def post_transition(call: Call) -> Reply:
    """Answer ``POST .../subscriptions/{subscription}/transitions``: upgrade all or some seats."""
    done = transitions.start(call.emulator, _subscription(call), call.members(), call.request_id)
    return Reply(transitions.wire_transition(done, just_started=True))


async def read_conversions(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/conversions``: what a legacy trial may become."""
    found = _subscription(call)
    rows = [conversions.wire_conversion(found, offer) for offer in conversions.targets(call.emulator, found)]
    return Reply(collection(rows))


async def post_conversion(call: Call) -> Reply:
    """Answer ``POST .../subscriptions/{subscription}/conversions``: a legacy trial becomes paid."""
    return Reply(conversions.convert(call.emulator, _subscription(call), call.members(), call.request_id))


def _wire_end(kind: str, day: date, subscription_ids: list[str]) -> Json:
    return {
        "allowedCustomTermEndDateType": kind,
        "cotermSubscriptionIds": subscription_ids,
        "allowedCustomTermEndDate": wire_date(day),
        "attributes": attributes("AllowedCustomTermEndDate"),
    }


_LIST = "/v1/customers/{customer}/subscriptions"
_ONE = f"{_LIST}/{{subscription}}"
ROUTES: tuple[Route, ...] = (
    Route("GET", f"{_LIST}/customTermEndDates", read_custom_ends, resource="subscription"),
    Route("GET", f"{_ONE}/provisioningstatus", read_provisioning_status, auth="AU", resource="subscription"),
    Route("GET", f"{_ONE}/activationlinks", read_activation_links, resource="subscription"),
    Route("POST", f"{_ONE}/activate", post_activation, resource="subscription", roles=_BUYERS),
    Route("GET", f"{_ONE}/transitionEligibilities", read_eligibilities, resource="subscription"),
    Route("GET", f"{_ONE}/transitions", read_transitions, resource="subscription"),
    Route("GET", f"{_ONE}/conversions", read_conversions, auth="AU", resource="subscription"),
    Route("POST", f"{_ONE}/conversions", post_conversion, auth="AU", resource="subscription", roles=_BUYERS),
    Route("POST", f"{_ONE}/transitions", post_transition, resource="subscription", roles=_BUYERS),
)

_ENDS = f"GET {_LIST}/customTermEndDates"
behaviour(_ENDS, source="documented", page="commerce 3.1", note="Ends of months and of the partner's own subscriptions")
behaviour(_ENDS, source="assumed", page="commerce 3.1", note="Names of the second and third query parameter")
behaviour(f"GET {_ONE}/provisioningstatus", source="documented", page="commerce 3.1", note="success, pending or failed")
behaviour(f"GET {_ONE}/activationlinks", source="documented", page="commerce 3.1", note="SaaS only")
behaviour(f"POST {_ONE}/activate", source="documented", page="commerce 3.1", note="SaaS: the sandbox's activation")
behaviour(f"GET {_ONE}/transitionEligibilities", source="documented", page="commerce 3.8", note="Upgrades of the SKU")
behaviour(f"GET {_ONE}/transitionEligibilities", source="assumed", page="commerce 3.8", note="Both types alike")
behaviour(f"GET {_ONE}/transitions", source="documented", page="commerce 3.8", note="History; `operationId`")
behaviour(f"POST {_ONE}/transitions", source="documented", page="commerce 3.8", note="All seats: the id stays")
behaviour(f"POST {_ONE}/transitions", source="assumed", page="commerce 3.8", note="Done at once; term end stays")
behaviour(f"GET {_ONE}/conversions", source="documented", page="commerce 3.1", note="Legacy trial to paid; app+user")
behaviour(f"POST {_ONE}/conversions", source="documented", page="commerce 3.1", note="What is wrong stands in `error`")

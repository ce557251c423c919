"""The emulator itself (state room): the world, its clock, its options, and what is derived from them.

``app.py`` puts it behind HTTP. Models receive the ``Emulator`` and nothing else, so every behaviour also runs without
HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Literal, TypeVar, cast
from uuid import NAMESPACE_URL, uuid5

import msgspec

from partner_center_emulator import resources
from partner_center_emulator.clock import DEFAULT_START, Clock, wall_now
from partner_center_emulator.invoices.terms import BillingTerms
from partner_center_emulator.state.behaviour import Pace
from partner_center_emulator.world import StateChange, Violation, World

_IDS = uuid5(NAMESPACE_URL, "partner-center-emulator")

D = TypeVar("D")


class Options(msgspec.Struct, kw_only=True):
    """Switches of the pretended service; what Microsoft does not publish is a switch here (core reference 10a.4)."""

    port: int = 8700
    strict: bool | Literal["record", "fail"] = False  # judge clients; "fail" and True also answer rule breakers so
    poll_seconds: float = 1.0  # advised between two looks at something unfinished (not published)
    next_page_seconds: float = 300.0  # a list with a next page that nobody asks for within this time was left
    pace: dict[str, Pace] = {}  # step, route, "route step" or "*" -> how it advances; see ``pace.py``
    bom: Literal["always", "never", "per-endpoint"] = "per-endpoint"
    link_prefix: bool = False  # links carry /v1, as seen since November 2021
    integer_code: bool = True  # error codes as numbers, otherwise as strings
    mfa: Literal["off", "report", "sandbox", "progressive", "on"] = "on"
    mfa_percent: int = 50  # share of calls that are checked with mfa="progressive"
    throttling: bool = True
    throttle_limit: int = 500  # calls per window, partner tenant and resource (core reference 4)
    throttle_window_seconds: float = 60.0
    retry_after_grace_seconds: float = 1.0  # calls already on their way when the 429 left are no violation
    retry_after_in_flight: int = 100  # how many calls may have been on their way
    idempotency_hours: float = 24.0
    resend_minutes: float = 15.0
    seek_token_seconds: float = 900.0
    order_list_lag_seconds: float = 0.0
    relationship_delay_seconds: float = 0.0  # from acceptance until the customer shows (core reference 6.2: not stated)
    total_count: Literal["page", "grand"] = "page"  # meaning of totalCount on seek pages (core reference 11.3)
    still_active_status: int = 400  # answer to removing a relationship with active subscriptions (core reference 11.1)
    subscription_limit: int = 300  # per customer tenant, over all partners
    provisioning_seconds: float = 5.0  # from a new-commerce order until its subscriptions exist (commerce 0, fact 7)
    update_seconds: float = 0.0  # new commerce: 0 = PATCH answers 200; else 202 with Location, and takes this long
    cart_days: float = 7.0  # how long a cart lives (commerce 2.1)
    availability_days: int = 30  # how long an availability id stays the same (commerce 1.2)
    extended_term_after: str = "2026-05-04"  # terms ending later enter the Extended Service Term (3.7); "" = never
    gov_relationship_requests: bool = True  # pages contradict each other for the US Government cloud (core 1.1)
    gdap_step_seconds: float = 0.0  # between two steps of a delegated admin relationship
    qualification_seconds: float = 3600.0  # until a qualification is vetted
    qualification_outcome: Literal["Approved", "Denied"] = "Approved"
    users_second_page_missing: bool = False  # page 2 of a customer's users is 404, as seen in 2021 (core 10a.4)
    organization_as_array: bool = False  # published text and published sample differ (core 5.14)
    webhook_delay_seconds: float = 0.0
    subscription_updated_delay_seconds: float = 0.0  # the longest delay of that event; up to 48 hours in real life
    webhook_duplicates: float = 0.0  # share of events that are sent twice
    webhook_certificate_organization: str = "Partner Center emulator"
    transfer_seconds: float = 300.0  # from the source's answer until a transfer is done (commerce 4.1: minutes)
    migration_seconds: float = 3600.0  # from start to end of a migration to new commerce (commerce 4.3: 0 to 6 hours)
    migration_suspends: Literal["start", "provisioned"] = "provisioned"  # commerce 4.3 says both in one article
    entitlement_cancel_seconds: float = 600.0  # until a cancelled Azure subscription shows as inactive (commerce 5)
    service_request_create: bool = False  # POST /v1/servicerequests/{locale}, withdrawn (core 9.2)
    billing: BillingTerms = BillingTerms()  # rounding, windows and days of the charging rules (rules S and T)

    @property
    def judges_conduct(self) -> bool:
        """Whether polling and unread pages are judged."""
        return self.strict is not False

    @property
    def fails_rule_breakers(self) -> bool:
        """Whether a violation is also answered with an error."""
        return self.strict is True or self.strict == "fail"

    @property
    def base_url(self) -> str:
        """Return the address of this emulator, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


class Emulator:
    """One pretended Partner Center with its world, clock and options."""

    def __init__(self, world: World, options: Options | None = None, clock: Clock | None = None) -> None:
        self.options = options or Options()
        self.clock = clock or Clock(world.started_at)
        self.world = world
        self._derived: dict[type, object] = {}
        self._requests = 0
        resources.rearm(self)

    @classmethod
    def empty(cls, options: Options | None = None, clock: Clock | None = None) -> Emulator:
        """Return an emulator with nobody in its world."""
        clock = clock or Clock(DEFAULT_START)
        return cls(World(seed=0, started_at=clock.now()), options, clock)

    def next_id(self, kind: str) -> str:
        """Return the next GUID of this world: the same seed and the same story give the same ids."""
        number = self.world.next_number
        self.world.next_number = number + 1
        return str(uuid5(_IDS, f"{self.world.seed}/{kind}/{number}"))

    def next_request_id(self) -> str:
        """Return a GUID for a request that brought none; from a counter of its own, so that reads move no other id."""
        return f"00000000-0000-4000-8000-{self.next_request_number():012x}"

    def next_request_number(self) -> int:
        """Return 1, 2, 3 ... for things that are numbered per run and not per world."""
        self._requests += 1
        return self._requests

    def derived(self, kind: type[D]) -> D:
        """Return the one ``kind(world)`` of the present world: an index, a cache. It is dropped with the world.

        Keep indexes here instead of in the World, so that a snapshot holds facts only.
        """
        found = self._derived.get(kind)
        if found is None:
            found = self._derived[kind] = cast("Callable[[World], D]", kind)(self.world)
        return cast("D", found)

    def record(
        self,
        what: str,
        *,
        tenant_id: str,
        customer_id: str,
        subject_id: str,
        request_id: str = "",
        before: dict[str, object] | None = None,
        after: dict[str, object] | None = None,
    ) -> StateChange:
        """Append one change to the truth ledger, stamped with both clocks, and return it.

        ``request_id`` is the call's; changes by the clock, an actor or the portal have none.
        """
        change = StateChange(
            at=self.clock.now(),
            wall_at=wall_now(),
            what=what,
            tenant_id=tenant_id,
            customer_id=customer_id,
            subject_id=subject_id,
            request_id=request_id,
            before=before or {},
            after=after or {},
        )
        self.world.changes.append(change)
        if self.world.webhooks.registrations:
            resources.notice(self, change)
        return change

    def violate(self, tenant_id: str, rule: str, detail: str) -> None:
        """Record that a client broke a rule."""
        self.world.violations.append(Violation(at=self.clock.now(), tenant_id=tenant_id, rule=rule, detail=detail))

    def sees(self, tenant_id: str, customer_id: str) -> bool:
        """Whether the tenant has a relationship with the customer that has become visible (lower-case ids)."""
        relationship = self.world.relationships.get(f"{tenant_id}/{customer_id}")
        if relationship is None:
            return False
        delay = self.options.relationship_delay_seconds
        return not delay or relationship.since + timedelta(seconds=delay) <= self.clock.now()

    def replace_world(self, world: World) -> None:
        """Put another world in place: the clock restarts at its time, what was derived is dropped, timers re-armed."""
        self.world = world
        self._derived.clear()
        self.clock.restart(world.clock_at or world.started_at)
        resources.rearm(self)

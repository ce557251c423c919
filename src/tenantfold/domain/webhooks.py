"""Webhooks: what a delivery may bring about, and what a registration has to say (core reference 9.4).

A delivery decides nothing. It only makes something due now that was due later anyway, so an old or doubled one does no
harm beyond a look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from tenantfold.domain.model import CustomerId

TEST_EVENT = "test-created"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


class Wakes(StrEnum):
    """What an event is about, and so what it may make due."""

    ACCEPTANCES = "acceptances"  # the look at who accepted the relationship request
    CUSTOMER = "customer"  # one customer's next look at both sides
    NOTHING = "nothing"  # a test: it shows that deliveries arrive
    UNKNOWN = "unknown"  # a name nobody has told us about


EVENTS: Mapping[str, Wakes] = MappingProxyType(
    {
        "reseller-relationship-accepted-by-customer": Wakes.ACCEPTANCES,
        "indirect-reseller-relationship-accepted-by-customer": Wakes.ACCEPTANCES,
        "subscription-updated": Wakes.CUSTOMER,  # up to 48 hours late: never what a same-day step waits for
        "complete-transfer": Wakes.CUSTOMER,
        "fail-transfer": Wakes.CUSTOMER,
        TEST_EVENT: Wakes.NOTHING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event as it was delivered. ``customer_id`` is None where its resource names no customer."""

    event: str
    customer_id: CustomerId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Where a partner tenant wants its events, and which; there is one a tenant."""

    url: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a registration is to become. ``elsewhere``: it serves another address, which a person has to give up."""

    registration: Registration
    not_offered: tuple[str, ...] = ()
    is_new: bool = False
    is_as_wanted: bool = False
    elsewhere: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """How Microsoft says a test event went. ``status`` is its own word; ``answers`` what it heard at each attempt."""

    status: str
    answers: tuple[str, ...] = ()

    @property
    def is_delivered(self) -> bool:
        """Whether our receiver took it."""
        return self.status == "completed"

    @property
    def is_open(self) -> bool:
        """Whether Microsoft may still try."""
        return self.status not in {"completed", "failed"}


def wakes(event: str) -> Wakes:
    """What an event may make due; its name in any case."""
    return EVENTS.get(event.strip().lower(), Wakes.UNKNOWN)


def earlier_due(now: datetime, due_at: datetime | None, woken_at: datetime | None, quiet: timedelta) -> datetime | None:
    """When a customer that waits until ``due_at`` is due after a delivery; None when the delivery changes nothing.

    Between two wake-ups of one customer lies at least ``quiet``: the second of two deliveries is not lost, it waits.
    """
    earliest = now if may_wake(now, woken_at, quiet) else (woken_at or now) + quiet
    return earliest if due_at is not None and due_at > earliest else None


def may_wake(now: datetime, woken_at: datetime | None, quiet: timedelta) -> bool:
    """Whether the last wake-up is long enough ago. One further ahead than ``quiet`` is of a clock that was set back."""
    return woken_at is None or not now - quiet < woken_at <= now + quiet


def may_be_delivered_to(url: str) -> bool:
    """Whether this may be registered: an https address (http on this machine) without a user, query or fragment."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)
    has_more = parts.username is not None or parts.query or parts.fragment or any(one.isspace() for one in url)
    return bool(is_safe and host and not has_more)


def wanted_registration(present: Registration | None, url: str, offered: Sequence[str]) -> Wanted:
    """What the tenant's registration is to become: our events at our address, and there whatever else it lists.

    ``offered`` are the names Microsoft lets the tenant register; the others of ours are told as ``not_offered``.
    """
    known = {name.lower() for name in offered}
    ours = tuple(name for name in EVENTS if name in known)
    missing = tuple(name for name in EVENTS if name not in known)
    if present is None:
        return Wanted(registration=Registration(url=url, events=ours), not_offered=missing, is_new=True)
    if not _same_address(present.url, url):
        wish = Registration(url=url, events=ours)
        return Wanted(registration=wish, not_offered=missing, elsewhere=present.url)
    listed = {name.lower() for name in present.events}
    more = tuple(name for name in ours if name not in listed)
    wish = Registration(url=url, events=(*present.events, *more))
    return Wanted(registration=wish, not_offered=missing, is_as_wanted=not more)


def holds(present: Registration | None, wish: Registration) -> bool:
    """Whether a registration that was read says what was asked for."""
    if present is None or not _same_address(present.url, wish.url):
        return False
    return {name.lower() for name in wish.events} <= {name.lower() for name in present.events}


def _same_address(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")

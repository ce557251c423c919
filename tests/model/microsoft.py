"""A tiny, pure Partner Center for the exhaustive model: one customer's subscriptions on both sides.

Every write is a function from a site to a site. What it leaves to chance (does the answer arrive, does the list show
it yet) is decided by the explorer, which tries everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tenantfold.domain.journal import Intent
from tenantfold.domain.model import OrderLine

BY_HAND = "by hand"


class Thing(NamedTuple):
    """One subscription. ``made_for`` is the source it was ordered for by us, or says that a person ordered it.

    ``version`` changes with every change (the eTag). ``shows``: the list has it already; it does by ``shows_at``.
    ``active_on`` is the number of the day it last became active at the target.
    """

    name: str
    order: str
    offer: str
    count: int  # type: ignore[assignment]  # licenses; nobody counts in a tuple of these
    cycle: str
    parent: str | None
    status: str = "active"
    made_for: str = ""
    version: int = 0
    shows: bool = True
    shows_at: int = 0  # minutes
    active_on: int = 0

    @property
    def shape(self) -> tuple[str, int, str]:
        """Offer, license count and billing cycle."""
        return (self.offer, self.count, self.cycle)


class RefusedByMicrosoft(Exception):  # noqa: N818  # it is an answer, not a fault of the model
    """The write had no effect, and the answer says so."""


class Stale(Exception):  # noqa: N818  # as above
    """The write had no effect: the subscription is not as it was read any more (eTag)."""


@dataclass(frozen=True)
class Site:
    """Both sides of one customer. ``answered``: requests that took effect, and the order each of them made."""

    sources: tuple[Thing, ...]
    targets: tuple[Thing, ...] = ()
    answered: tuple[tuple[str, str], ...] = ()
    agreed: bool = False

    def __hash__(self) -> int:
        """Computed once: sites are looked up far more often than made."""
        known: int | None = self.__dict__.get("_hash")
        if known is None:
            known = hash((self.sources, self.targets, self.answered, self.agreed))
            self.__dict__["_hash"] = known
        return known

    def source(self, name: str) -> Thing:
        """One source subscription."""
        return next(one for one in self.sources if one.name == name)

    def target(self, name: str | None) -> Thing | None:
        """One target subscription, shown or not."""
        return next((one for one in self.targets if one.name == name), None)

    def made_by(self, request: str) -> str | None:
        """What a request that took effect answered: the name of its order, if it made one."""
        return dict(self.answered).get(request)

    def changed(self, old: Thing, **fields: object) -> Site:
        """With one subscription changed; its version moves on."""
        new = old._replace(version=old.version + 1, **fields)  # type: ignore[arg-type]  # the caller names them
        return replace(
            self,
            sources=tuple(new if one is old else one for one in self.sources),
            targets=tuple(new if one is old else one for one in self.targets),
        )

    def listed(self) -> tuple[Thing, ...]:
        """The target's list as it reads now."""
        return tuple(one for one in self.targets if one.shows)


def shown(site: Site, minutes: int) -> Site:
    """The list of the target has caught up with everything that is old enough."""
    if all(one.shows or one.shows_at > minutes for one in site.targets):
        return site
    targets = tuple(one if one.shows_at > minutes else one._replace(shows=True) for one in site.targets)
    return replace(site, targets=targets)


def _answering(site: Site, request: str, order: str) -> Site:
    return replace(site, answered=tuple(sorted((*site.answered, (request, order)))))


def attest(site: Site, request: str) -> Site:
    """The customer's agreement is stated; the same again changes nothing."""
    return _answering(replace(site, agreed=True), request, "") if site.made_by(request) is None else site


def order(site: Site, intent: Intent, day: int, shows_at: int) -> tuple[Site, str]:
    """New subscriptions, not listed yet, in a new order or on that of their bases; the name of the order."""
    if not site.agreed:
        raise RefusedByMicrosoft("the agreement is missing")
    name = intent.order_id or f"o{len({one.order for one in site.targets}) + 1}"
    return _answering(
        replace(site, targets=site.targets + _made(site, intent, name, day, shows_at)), str(intent.request_id), name
    ), name


def _made(site: Site, intent: Intent, name: str, day: int, shows_at: int) -> tuple[Thing, ...]:
    first = len(site.targets) + 1
    return tuple(
        _thing(site, line, f"t{number}", name, intent.billing_cycle)._replace(
            shows=False, shows_at=shows_at, active_on=day
        )
        for number, line in enumerate(intent.lines, start=first)
    )


def _thing(site: Site, line: OrderLine, name: str, order_name: str, cycle: str) -> Thing:
    if line.parent_target_id is not None:
        base = site.target(line.parent_target_id)
        if base is None or base.status != "active" or base.order != order_name:
            raise RefusedByMicrosoft("the base is not there")
    return Thing(
        name=name,
        order=order_name,
        offer=line.offer_id,
        count=line.license_count,
        cycle=cycle,
        parent=line.parent_target_id,
        made_for=line.source_subscription_id,
    )


def ordered_by_hand(site: Site, like: Thing, day: int, shows_at: int) -> Site:
    """A person orders at the target what a source subscription holds."""
    number = len(site.targets) + 1
    new = Thing(
        name=f"t{number}",
        order=f"hand{number}",
        offer=like.offer,
        count=like.count,
        cycle=like.cycle,
        parent=None,
        made_for=BY_HAND,
        shows=False,
        shows_at=shows_at,
        active_on=day,
    )
    return replace(site, targets=(*site.targets, new))


def set_status(site: Site, read: Thing, status: str, request: str, day: int) -> Site:
    """Suspend or reactivate what was read; refused when it changed since. Add-ons are suspended with their base."""
    held = (*site.sources, *site.targets)
    now = next(one for one in held if one.name == read.name)
    if now.version != read.version:
        raise Stale
    struck = [now] + [one for one in held if one.parent == now.name and status == "suspended"]
    for one in struck:
        if one.status != status:
            site = site.changed(one, status=status, active_on=day if status == "active" else one.active_on)
    return _answering(site, request, "")


def lines_of(site: Site, order_name: str) -> Sequence[Thing]:
    """The subscriptions of an order."""
    return [one for one in site.targets if one.order == order_name]

"""Waves: customers that begin together, how big a wave may be, and why a customer is held. Pure.

A wave decides only about *beginning*: a customer whose cutover has begun is finished whatever becomes of its wave,
because stopping it would leave the customer between two bills (R-33).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.model import OfferId
from tenantfold.domain.prices import Price, price_book, price_of

SHOWN_OFFERS = 3  # names of offers without a price in one sentence; the count says how many there are


class WaveState(StrEnum):
    """Where a wave stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    ABORTED = "aborted"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the wave any more; its customers may join another."""
        return self in {WaveState.FINISHED, WaveState.ABORTED}

    def may_become(self, other: WaveState) -> bool:
        """Whether a wave in this state may go over to the other one."""
        return other in TRANSITIONS[self]


TRANSITIONS: Mapping[WaveState, frozenset[WaveState]] = {
    WaveState.DRAFT: frozenset({WaveState.SCHEDULED, WaveState.RUNNING, WaveState.ABORTED}),
    # scheduled again is another time; back to draft when it was paused before its time, or refused at it
    WaveState.SCHEDULED: frozenset({WaveState.SCHEDULED, WaveState.DRAFT, WaveState.RUNNING, WaveState.ABORTED}),
    WaveState.RUNNING: frozenset({WaveState.PAUSED, WaveState.FINISHED, WaveState.ABORTED}),
    WaveState.PAUSED: frozenset({WaveState.RUNNING, WaveState.FINISHED, WaveState.ABORTED}),
    WaveState.FINISHED: frozenset(),
    WaveState.ABORTED: frozenset(),
}


class Held(StrEnum):
    """Why a customer does not begin. ``stopped`` alone keeps one that has begun from being finished, too."""

    NOTHING = ""
    NO_WAVE = "no_wave"
    WAVE = "wave"
    PAUSED = "paused"
    ABORTED = "aborted"
    STOPPED = "stopped"


HELD_BECAUSE: Mapping[Held, str] = {
    Held.NOTHING: "It may begin.",
    Held.NO_WAVE: "There are waves, and this customer is in none.",
    Held.WAVE: "Its wave is not running.",
    Held.PAUSED: "It, its wave or everybody was paused.",
    Held.ABORTED: "It, its wave or everybody was aborted.",
    Held.STOPPED: "It was aborted at once (--now): even what has begun is not finished.",
}
HELD_NEXT: Mapping[Held, str] = {
    Held.NOTHING: "Run: tenantfold run",
    Held.NO_WAVE: "Put it into a wave: tenantfold wave new",
    Held.WAVE: "Start its wave: tenantfold wave start",
    Held.PAUSED: "Run: tenantfold resume",
    Held.ABORTED: "Put it into another wave, or run: tenantfold resume --customer",
    Held.STOPPED: "Both sides may be billed. Finish it: tenantfold resume --customer",
}


class LimitRule(StrEnum):
    """What may refuse a wave, by the name an override uses."""

    CUSTOMERS = "customers"
    SEATS = "seats"
    MONTHLY_AMOUNT = "monthly_amount"
    COUNTRIES = "countries"
    TODAY = "today"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Somebody paused, aborted or stopped one customer, or everybody: who, why and when."""

    kind: Held
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person answers for one rule of one wave: who, why and when."""

    rule: LimitRule
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A named set of customers. ``note`` says why it is where it is, when that needs saying.

    ``starts_at`` is when a scheduled wave is to begin. ``id`` is 0 until the ledger keeps it.
    """

    name: str
    created_at: datetime
    id: int = 0
    state: WaveState = WaveState.DRAFT
    starts_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    overrides: tuple[Override, ...] = ()
    note: str = ""

    def overrides_rule(self, rule: LimitRule) -> bool:
        """Whether somebody answers for this rule."""
        return any(one.rule is rule for one in self.overrides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What adding customers to a wave did: how many joined, and for which rules nobody answers any more."""

    added: int
    lapsed: tuple[LimitRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSize:
    """How many licenses of one offer a wave orders, for customers of one country with one billing cycle."""

    offer_id: OfferId
    country: str
    billing_cycle: str
    licenses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveSize:
    """How big a wave is: its customers that are to move and have not, and what they hold."""

    customers: int
    subscriptions: int = 0
    seats: int = 0
    countries: tuple[str, ...] = ()
    offers: tuple[OfferSize, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The blast radius (settings ``waves.*``): how much one wave may hold; 0 is no limit."""

    customers: int = 0
    seats: int = 0
    monthly_amount: int = 0
    countries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """The money a wave moves in a month, by currency; ``unpriced`` are the offers without a price."""

    by_currency: Mapping[str, Decimal]
    unpriced: tuple[OfferId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRefusal:
    """Why a wave may not start: the rule, its numbers, and the command that overrides it with an approval."""

    code: RefusalCode
    rule: LimitRule
    detail: str
    numbers: Mapping[str, str]
    override: str


def override_command(name: str, rule: LimitRule) -> str:
    """The exact command that starts a wave in spite of a rule."""
    return f'tenantfold wave start {shlex.quote(name)} --override {rule.value} --by NAME --reason "TEXT"'


def too_large(name: str, size: WaveSize, limits: Limits, prices: Iterable[Price]) -> tuple[WaveRefusal, ...]:
    """Every blast-radius limit a wave passes, each with its numbers. Empty: the wave is small enough."""
    counted = (
        (LimitRule.CUSTOMERS, size.customers, limits.customers, "customers"),
        (LimitRule.SEATS, size.seats, limits.seats, "licenses"),
        (LimitRule.COUNTRIES, len(size.countries), limits.countries, f"countries ({', '.join(size.countries)})"),
    )
    found = [_passes(name, rule, has, limit, what) for rule, has, limit, what in counted if limit and has > limit]
    if limits.monthly_amount:
        money = _too_much_money(name, amount_of(size, prices), limits.monthly_amount)
        found += [money] if money is not None else []
    return tuple(found)


def _passes(name: str, rule: LimitRule, has: int, limit: int, what: str) -> WaveRefusal:
    return _refusal(
        name,
        rule,
        f"The wave has {has} {what}; waves.max_{rule.value} allows {limit}.",
        {rule.value: str(has), "limit": str(limit)},
    )


def _too_much_money(name: str, amount: Amount, limit: int) -> WaveRefusal | None:
    rule, setting = LimitRule.MONTHLY_AMOUNT, f"waves.max_monthly_amount allows {limit}"
    sums = ", ".join(f"{value:.2f} {currency}" for currency, value in sorted(amount.by_currency.items()))
    numbers = {"limit": str(limit), "amount": sums, "unpriced": str(len(amount.unpriced))}
    if amount.unpriced:
        count, shown = len(amount.unpriced), ", ".join(amount.unpriced[:SHOWN_OFFERS])
        more = f" and {count - SHOWN_OFFERS} more" if count > SHOWN_OFFERS else ""
        detail = f"{count} offer(s) of the wave have no price in files.price_list ({shown}{more}); {setting}."
        return _refusal(name, rule, detail, numbers)
    if len(amount.by_currency) > 1:
        detail = f"The wave moves {sums} a month, which cannot be added up; {setting} in one currency."
        return _refusal(name, rule, detail, numbers)
    if sum(amount.by_currency.values(), Decimal(0)) > limit:
        return _refusal(name, rule, f"The wave moves {sums} a month; {setting}.", numbers)
    return None


def _refusal(name: str, rule: LimitRule, detail: str, numbers: Mapping[str, str]) -> WaveRefusal:
    return WaveRefusal(
        code=RefusalCode.WAVE_TOO_LARGE,
        rule=rule,
        detail=detail,
        numbers=numbers,
        override=override_command(name, rule),
    )


def amount_of(size: WaveSize, prices: Iterable[Price]) -> Amount:
    """The money of a wave, by the closest price of each offer."""
    known = price_book(prices)
    sums: dict[str, Decimal] = {}
    unpriced: dict[OfferId, None] = {}
    for one in size.offers:
        price = price_of(known, one.offer_id, one.country, one.billing_cycle)
        if price is None:
            unpriced[one.offer_id] = None
        else:
            sums[price.currency] = sums.get(price.currency, Decimal(0)) + price.monthly_unit_price * one.licenses
    return Amount(by_currency=sums, unpriced=tuple(unpriced))

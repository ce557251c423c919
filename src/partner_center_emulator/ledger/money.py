"""Money in the truth ledger (truth room): double billing per UTC day, and charges expected against charges invoiced.

Expected charges are worked out from the record by the published rules, invoiced ones are read from the issued invoices;
nothing here looks at what a client reports. Money of different currencies is never added up (R-89).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from partner_center_emulator.invoices.life import Life
from partner_center_emulator.invoices.lives import LifeBook
from partner_center_emulator.invoices.month_end import KINDS, first_period
from partner_center_emulator.invoices.periods import DAY
from partner_center_emulator.invoices.rules import charges, daily_price, spans
from partner_center_emulator.invoices.terms import CENT, BillingTerms
from partner_center_emulator.ledger.matching import Pair
from partner_center_emulator.world import Subscription, World

_FINE = Decimal("0.0001")


class DoubleDay(msgspec.Struct, kw_only=True):
    """One UTC day that two partner tenants pay for."""

    day: date
    seats: int
    source_amount: Decimal  # what the source pays for these seats on the day, in its currency
    target_amount: Decimal  # the same at the target


class DoubleBilling(msgspec.Struct, kw_only=True):
    """A subscription and its counterpart, both paid for on the same days, refunds taken off."""

    customer_id: str
    subscription_id: str
    counterpart_id: str
    source_currency: str
    target_currency: str
    source_total: Decimal
    target_total: Decimal
    is_preexisting: bool  # both were in service before the world's clock started: nobody's doing
    days: list[DoubleDay]


class TenantMoney(msgspec.Struct, kw_only=True):
    """What one partner tenant was invoiced: charges and credits apart, credits negative."""

    tenant_id: str
    tenant_key: str
    currency: str
    invoices: int = 0
    charged: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)


class AccountMoney(msgspec.Struct, kw_only=True):
    """What one customer's licenses cost at one partner tenant; ``expected`` equals ``invoiced`` if all is well."""

    customer_id: str
    tenant_key: str
    currency: str
    expected: Decimal = Decimal(0)  # by the rules, in the periods that are billed
    invoiced: Decimal = Decimal(0)
    pending: Decimal = Decimal(0)  # arisen since then


class Money(msgspec.Struct, kw_only=True):
    """The ledger's part on money; ``accounts`` is only there when customers are asked for."""

    double_billing: list[DoubleBilling] = []
    double_billed: dict[str, Decimal] = {}  # source currency -> money, without what was so before the world began
    tenants: list[TenantMoney] = []
    accounts: list[AccountMoney] | msgspec.UnsetType = msgspec.UNSET


class Bookkeeper:
    """Works out the money of one report; reads the record once."""

    def __init__(self, world: World, now: datetime, terms: BillingTerms) -> None:
        self.world = world
        self.now = now
        self.terms = terms
        self.money = Money()
        self._book = LifeBook(world)
        self._book.refresh()

    def add_pairs(self, pairs: Iterable[Pair]) -> None:
        """Note the double billing of one customer's subscriptions and their counterparts."""
        for pair in pairs:
            for found in self._double_billing(pair):
                self.money.double_billing.append(found)
                if not found.is_preexisting:
                    totals = self.money.double_billed
                    totals[found.source_currency] = totals.get(found.source_currency, Decimal(0)) + found.source_total

    def add_tenants(self, customer: str | None) -> None:
        """Sum up the issued invoices by tenant, of one customer only if asked."""
        by_tenant = {
            tenant.id: TenantMoney(tenant_id=tenant.id, tenant_key=tenant.key, currency=tenant.currency)
            for tenant in self.world.partner_tenants.values()
        }
        for invoice in self.world.invoices.invoices.values():
            row = by_tenant[invoice.tenant_id]
            amounts = [line.amount for line in invoice.lines if customer is None or line.customer_id == customer]
            row.invoices += bool(amounts)
            row.charged += sum((amount for amount in amounts if amount > 0), Decimal(0))
            row.credited += sum((amount for amount in amounts if amount < 0), Decimal(0))
        self.money.tenants = list(by_tenant.values())

    def add_accounts(self, customer: str | None) -> None:
        """Set expected against invoiced charges, per customer and tenant."""
        rows: dict[tuple[str, str], AccountMoney] = {}
        for subscription in self._book.billed():
            if customer is None or subscription.customer_id == customer:
                self._expect(self._account(rows, subscription.customer_id, subscription.tenant_id), subscription)
        for invoice in self.world.invoices.invoices.values():
            for line in invoice.lines:
                if not line.entitlement_id and (customer is None or line.customer_id == customer):
                    self._account(rows, line.customer_id, invoice.tenant_id).invoiced += line.amount
        self.money.accounts = list(rows.values())

    def _account(self, rows: dict[tuple[str, str], AccountMoney], customer_id: str, tenant_id: str) -> AccountMoney:
        found = rows.get((customer_id, tenant_id))
        if found is None:
            tenant = self.world.partner_tenants[tenant_id]
            found = AccountMoney(customer_id=customer_id, tenant_key=tenant.key, currency=tenant.currency)
            rows[customer_id, tenant_id] = found
        return found

    def _expect(self, account: AccountMoney, subscription: Subscription) -> None:
        life = self._book.life(subscription)
        if life is None:
            return
        kind = KINDS[self._book.is_new_commerce(subscription)]
        tenant = self.world.partner_tenants[subscription.tenant_id]
        start = first_period(self.world.started_at, tenant, kind, self.terms).start
        billed = self.world.invoices.billed_through.get(f"{tenant.id}/{kind}")
        for charge in charges(life, start, self.now.date() + DAY, self.terms):
            if billed is not None and charge.billed_on <= billed:
                account.expected += charge.amount
            else:
                account.pending += charge.amount

    def _double_billing(self, pair: Pair) -> Iterator[DoubleBilling]:
        if pair.lane is None:
            return
        source = self._book.life(pair.source.subscription)
        paid = self._paid_days(source)
        is_preexisting = bool(pair.lane.start_seats and pair.source.steps[0].seats)
        for counterpart_id in pair.lane.ids if source and paid else ():
            target = self._book.life(self.world.subscriptions[counterpart_id])
            both = {day: min(seats, paid[day]) for day, seats in self._paid_days(target).items() if day in paid}
            if source is not None and target is not None and both:
                yield self._entry(pair.source.subscription, source, target, both, is_preexisting=is_preexisting)

    def _paid_days(self, life: Life | None) -> dict[date, int]:
        """Return the seats paid for by day since the world began; a day counts when it is over.

        Today is still open: what is suspended later today is not paid for today.
        """
        days: dict[date, int] = {}
        for span in spans(life, self.now.date(), self.terms) if life else ():
            day = max(span.start, self.world.started_at.date())
            while day <= span.end:
                days[day] = span.seats
                day += DAY
        return days

    def _entry(
        self, mine: Subscription, source: Life, target: Life, both: dict[date, int], *, is_preexisting: bool
    ) -> DoubleBilling:
        other = self.world.subscriptions[target.subscription_id]
        days = [
            DoubleDay(
                day=day,
                seats=seats,
                source_amount=_fine(daily_price(source, day) * seats),
                target_amount=_fine(daily_price(target, day) * seats),
            )
            for day, seats in sorted(both.items())
        ]
        return DoubleBilling(
            customer_id=mine.customer_id,
            subscription_id=mine.id,
            counterpart_id=other.id,
            source_currency=self.world.partner_tenants[mine.tenant_id].currency,
            target_currency=self.world.partner_tenants[other.tenant_id].currency,
            source_total=_sum(day.source_amount for day in days),
            target_total=_sum(day.target_amount for day in days),
            is_preexisting=is_preexisting,
            days=days,
        )


def _fine(amount: Decimal) -> Decimal:
    return amount.quantize(_FINE, rounding=ROUND_HALF_UP)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0)).quantize(CENT, rounding=ROUND_HALF_UP)

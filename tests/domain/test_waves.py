"""Waves: which states follow which, how big one may be, and what the refusal says (DESIGN 7)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.model import OfferId
from tenantfold.domain.prices import Price
from tenantfold.domain.waves import (
    HELD_BECAUSE,
    HELD_NEXT,
    TRANSITIONS,
    Held,
    LimitRule,
    Limits,
    OfferSize,
    Override,
    Wave,
    WaveSize,
    WaveState,
    amount_of,
    override_command,
    too_large,
)
from tests.domain.samples import E3, E5, NOW, VISIO

COUNTS = st.integers(0, 50)


def size(**fields: object) -> WaveSize:
    """Three customers in two countries with 30 licenses of E3."""
    given_fields: dict[str, object] = {
        "customers": 3,
        "seats": 30,
        "subscriptions": 3,
        "countries": ("NO", "SE"),
        "offers": (licenses(30),),
    }
    return WaveSize(**(given_fields | fields))  # type: ignore[arg-type]  # the test names the fields


def licenses(count: int, offer: OfferId = E3, country: str = "SE", cycle: str = "monthly") -> OfferSize:
    """So many licenses of an offer."""
    return OfferSize(offer_id=offer, country=country, billing_cycle=cycle, licenses=count)


def price(amount: str, offer: OfferId = E3, currency: str = "EUR", country: str = "", cycle: str = "") -> Price:
    """What a license costs."""
    return Price(
        offer_id=offer, monthly_unit_price=Decimal(amount), currency=currency, country=country, billing_cycle=cycle
    )


# --- states ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(WaveState))
def test_every_state_knows_what_may_follow(state: WaveState):
    """The final ones lead nowhere; every other one can be aborted; nothing becomes what it was except a new time."""
    assert bool(TRANSITIONS[state]) != state.is_final
    assert state.may_become(WaveState.ABORTED) != state.is_final
    assert state.may_become(state) == (state is WaveState.SCHEDULED)


@given(st.lists(st.sampled_from(list(WaveState)), max_size=8))
def test_no_way_leads_out_of_the_end_or_to_a_finish_that_never_ran(ways: list[WaveState]):
    """Along any legal way: after finished or aborted nothing comes, and what finished was running before."""
    state, ran = WaveState.DRAFT, False
    for wanted in ways:
        if not state.may_become(wanted):
            continue
        assert not state.is_final
        assert wanted is not WaveState.FINISHED or ran
        state, ran = wanted, ran or wanted is WaveState.RUNNING


def test_every_reason_to_hold_has_a_sentence_and_a_next_step():
    """Nobody is left without an explanation (invariant 8)."""
    assert set(HELD_BECAUSE) == set(HELD_NEXT) == set(Held)


def test_an_override_covers_its_own_rule_only():
    """Who answers for the customers does not answer for the money."""
    given_override = Override(rule=LimitRule.CUSTOMERS, by="Eva", reason="asked for", at=NOW)
    wave = Wave(name="north", created_at=NOW, overrides=(given_override,))
    assert [rule for rule in LimitRule if wave.overrides_rule(rule)] == [LimitRule.CUSTOMERS]


# --- the blast radius -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), {}),
        (Limits(customers=3, seats=30, countries=2), {}),
        (Limits(customers=2), {LimitRule.CUSTOMERS: {"customers": "3", "limit": "2"}}),
        (Limits(seats=29), {LimitRule.SEATS: {"seats": "30", "limit": "29"}}),
        (Limits(countries=1), {LimitRule.COUNTRIES: {"countries": "2", "limit": "1"}}),
        (
            Limits(customers=1, seats=1),
            {
                LimitRule.CUSTOMERS: {"customers": "3", "limit": "1"},
                LimitRule.SEATS: {"seats": "30", "limit": "1"},
            },
        ),
    ],
)
def test_each_limit_refuses_what_passes_it_with_its_numbers(limits: Limits, expected: dict[LimitRule, object]):
    """A limit of 0 is none; at the limit is allowed; all that is passed is said at once."""
    found = too_large("north", size(), limits, ())
    assert {one.rule: one.numbers for one in found} == expected
    for one in found:
        assert one.code is RefusalCode.WAVE_TOO_LARGE
        assert f"waves.max_{one.rule.value}" in one.detail
        assert all(number in one.detail for number in one.numbers.values())
        assert one.override == f'tenantfold wave start north --override {one.rule.value} --by NAME --reason "TEXT"'


def test_a_name_with_spaces_is_quoted_in_the_command():
    """What is shown can be pasted."""
    assert override_command("first $ wave", LimitRule.TODAY).startswith("tenantfold wave start 'first $ wave' --over")


@pytest.mark.parametrize(
    ("prices", "limit", "said"),
    [
        ((price("10"),), 300, ""),
        ((price("10.01"),), 300, "300.30 EUR"),
        ((), 300, "1 offer(s) of the wave have no price"),
        ((price("10", E5),), 300, "1 offer(s) of the wave have no price"),
        ((), 0, ""),
    ],
)
def test_the_monthly_amount_is_limited_and_needs_every_price(prices: tuple[Price, ...], limit: int, said: str):
    """Licenses times price; a missing price is a refusal, for what is not known cannot be called small."""
    found = too_large("north", size(), Limits(monthly_amount=limit), prices)
    assert len(found) == (1 if said else 0)
    assert all(one.rule is LimitRule.MONTHLY_AMOUNT and said in one.detail for one in found)


def test_many_missing_prices_are_counted_and_some_are_named():
    """The sentence stays short."""
    offers = tuple(licenses(1, OfferId(f"OFFER-{number}")) for number in range(5))
    (found,) = too_large("north", size(offers=offers), Limits(monthly_amount=1), ())
    assert found.numbers["unpriced"] == "5"
    assert "5 offer(s)" in found.detail
    assert "OFFER-2 and 2 more" in found.detail


def test_two_currencies_cannot_be_added_up():
    """Both sums are named."""
    offers = (licenses(10), licenses(1, E5))
    (found,) = too_large(
        "north", size(offers=offers), Limits(monthly_amount=10_000), (price("2"), price("3", E5, "SEK"))
    )
    assert "20.00 EUR, 3.00 SEK" in found.detail


def test_the_closest_price_counts():
    """Country and cycle before country, country before cycle, cycle before the general price."""
    prices = (
        price("1"),
        price("2", cycle="annual"),
        price("3", country="SE"),
        price("4", country="SE", cycle="annual"),
    )
    wanted = {("NO", "monthly"): 1, ("NO", "annual"): 2, ("SE", "monthly"): 3, ("SE", "annual"): 4}
    for (country, cycle), amount in wanted.items():
        found = amount_of(size(offers=(licenses(1, E3, country, cycle),)), prices)
        assert found.by_currency == {"EUR": Decimal(amount)}


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_larger_wave_is_never_allowed_where_a_smaller_one_is_refused(seats: int, more: int, limit: int, unit: int):
    """Every rule only grows with the wave."""
    limits, prices = Limits(seats=limit, monthly_amount=limit), (price(str(unit)), price("1", VISIO))
    small = too_large("a", size(seats=seats, offers=(licenses(seats),)), limits, prices)
    large = too_large("a", size(seats=seats + more, offers=(licenses(seats + more),)), limits, prices)
    assert {one.rule for one in small} <= {one.rule for one in large}

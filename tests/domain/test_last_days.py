"""Days that must not be missed: which there are, and what makes one go away (R-132, commerce reference 3.7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.last_days import NEEDED, LastDayKind, last_days
from tenantfold.domain.model import Route
from tenantfold.domain.plan import Disposition, ItemTerms
from tenantfold.domain.records import Case
from tenantfold.domain.states import Phase
from tests.domain.rebuys import CHOSEN, ending_item, rebought, running_out, stop_intent
from tests.domain.samples import outcome, plan_customer
from tests.domain.transfers import ENDS

RENEWS = ItemTerms(auto_renew=True)
STOPPED = (stop_intent(), outcome(stop_intent()))
BUY, CHOOSE = LastDayKind.BUY_AGAIN, LastDayKind.CHOOSE_END


def still_renewing(**fields: object) -> Case:
    """A customer with one term that renewed when the plan was made, and of which nothing is known since."""
    given_fields: dict[str, object] = {"evidence": ()}
    return running_out(ending_item(terms=RENEWS), **(given_fields | fields))


def kinds(case: Case) -> list[LastDayKind]:
    """What the customer's days are for."""
    return [one.kind for one in last_days(case)]


def test_a_term_that_still_renews_has_no_last_day():
    """It goes on by itself: nobody is locked out whoever sleeps."""
    assert last_days(still_renewing()) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"settled": (STOPPED,)},
        {"open_intents": (stop_intent(),)},
        {"evidence": (CHOSEN,)},
        {"progress": replace(running_out().progress, phase=Phase.RUNNING_OUT)},
        {"customer": plan_customer(ending_item(terms=ItemTerms(auto_renew=False)))},
    ],
    ids=["we turned it off", "we may have", "a person chose the end", "a run saw it", "it was off before"],
)
def test_a_term_that_ends_must_be_bought_again_on_its_last_day(fields: dict[str, object]):
    """However its renewal came to be off."""
    days = last_days(still_renewing(**fields))
    assert [(one.on, one.license_count) for one in days if one.kind is BUY] == [(ENDS, 5)]


def test_since_may_a_person_must_have_chosen_the_end_as_well():
    """Until it is confirmed; a term that ended before has free days and no such choice."""
    assert kinds(still_renewing(settled=(STOPPED,))) == [BUY, CHOOSE]
    assert kinds(still_renewing(settled=(STOPPED,), evidence=(CHOSEN,))) == [BUY]
    early = running_out(ending_item(ends_on=date(2026, 4, 20), terms=RENEWS), settled=(STOPPED,), evidence=())
    assert kinds(early) == [BUY]


def test_what_was_bought_has_no_last_day_any_more():
    """Even while its subscription id is not known."""
    assert last_days(still_renewing(settled=(STOPPED,), counterparts=(rebought("n1", None),))) == ()


def test_other_routes_have_none():
    """A transfer keeps the term."""
    case = running_out(ending_item(route=Route.TRANSFER, terms=ItemTerms(auto_renew=False)))
    assert last_days(case) == ()


@pytest.mark.parametrize("disposition", list(Disposition))
def test_a_newer_plan_that_holds_the_customer_up_hides_no_day(disposition: Disposition):
    """The renewal is off all the same: nobody must learn of it when people are locked out."""
    customer = plan_customer(ending_item(terms=RENEWS), disposition=disposition)
    unapproved = replace(still_renewing().plan, approved_at=None)
    case = still_renewing(customer=customer, plan=unapproved, settled=(STOPPED,))
    assert BUY in kinds(case)


def test_a_plan_that_nobody_approved_promises_nothing():
    """What ends by itself is not the program's to buy yet."""
    customer = plan_customer(ending_item(terms=ItemTerms(auto_renew=False)))
    assert last_days(still_renewing(customer=customer, plan=replace(still_renewing().plan, approved_at=None))) == ()


@given(st.integers(-40, 40))
def test_a_day_is_missed_when_it_is_over(days: int):
    """Not on the day itself."""
    (day,) = last_days(still_renewing(settled=(STOPPED,), evidence=(CHOSEN,)))
    assert day.is_missed(ENDS + timedelta(days=days)) is (days > 0)


def test_every_kind_of_day_says_what_to_do():
    """The table forgets none."""
    assert set(NEEDED) == set(LastDayKind)

"""The command ``calendar``, and the days that ``status`` names."""

from __future__ import annotations

from datetime import date

import pytest

from tenantfold.domain.model import ProductKind, Route
from tenantfold.domain.plan import ItemTerms, PlanItem
from tests.cli.conftest import Desk, customer, manual_item

BAD_INPUT = 2
FAR = date(2099, 6, 1)
OVER = date(2026, 2, 28)


def ending(name: str, on: date) -> PlanItem:
    """New commerce that does not renew."""
    terms = ItemTerms(auto_renew=False)
    return manual_item(name, route=Route.EXPIRE_AND_REBUY, kind=ProductKind.LICENSE, ends_on=on, terms=terms)


@pytest.fixture
def running_out(desk: Desk) -> Desk:
    """One customer whose term is over, one with a far end, and one with nothing of the kind."""
    desk.plan(
        customer(1, ending("s1", FAR)),
        customer(2, ending("s2", OVER)),
        customer(3, manual_item("s3")),
        accepted=(1, 2, 3),
    )
    return desk


def test_the_days_come_soonest_first_and_missed_ones_are_marked(running_out: Desk):
    """With what must have happened, the rule and who does it."""
    days = running_out.json("calendar")["days"]
    assert [(one["on"], one["customer_id"], one["kind"], one["missed"]) for one in days] == [
        (str(OVER), "c-2", "buy_again", True),
        (str(FAR), "c-1", "buy_again", False),
        (str(FAR), "c-1", "choose_end", False),
    ]
    assert (days[0]["rule"], days[0]["who"], days[0]["license_count"]) == ("R-132", "operations", 5)


def test_only_the_next_days_can_be_shown(running_out: Desk):
    """Those missed always are; what is left out is counted."""
    assert [one["customer_id"] for one in running_out.json("calendar", "--days", "30")["days"]] == ["c-2"]
    code, said = running_out.say("calendar", "--days", "30")
    assert code == 0
    assert "MISSED: 1 day(s) are over" in said
    assert "Later: 2 more." in said
    assert running_out.say("calendar", "--days", "-1")[0] == BAD_INPUT


def test_status_names_the_next_days(running_out: Desk):
    """People look at the status, so it must stand there."""
    said = running_out.say("status")[1]
    assert "Days that must not be missed" in said
    assert f"{OVER} MISSED" in said
    assert [one["on"] for one in running_out.json("status")["last_days"]] == [str(OVER), str(FAR), str(FAR)]


def test_where_nothing_runs_out_there_is_no_day(desk: Desk):
    """And nothing about it in the status."""
    desk.plan(customer(3, manual_item("s3")), accepted=(3,))
    assert desk.say("calendar") == (0, "There is no day that must not be missed.")
    assert "must not be missed" not in desk.say("status")[1]

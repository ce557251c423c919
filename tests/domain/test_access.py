"""Who may get into Azure: one line an Azure subscription, and no tick that nobody set (R-172, R-182)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.access import AccessLine, access_lines, concerns
from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.model import ProductKind, Route, SubscriptionId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.states import Origin
from tests.domain.hand_samples import azure_item, evidence
from tests.domain.samples import C1, NO, NOW, SE, TARGET, attested, counterpart, item, outcome, plan_customer
from tests.domain.transfers import azure, azure_plan_item, moving, ready, seats_item, submit_intent

RESERVED = azure("r1", kind=AzureKind.RESERVATION, plan_id=None)
MOVED = counterpart("p1", "target-plan", origin=Origin.MERGED, verified_at=NOW)


def _read(*items: AzureItem) -> TenantFacts:
    return TenantFacts(tenant_id=SE, customer_id=C1, azure=items)


def _ids(lines: tuple[AccessLine, ...]) -> list[str]:
    return [one.azure_id for one in lines]


def test_every_azure_subscription_has_its_line():
    """With both partners and both names; a reservation gives nobody access, and what is off is no longer there."""
    seen = [_read(azure("a2", name="Test"), azure("a1", name="Production"), azure("a3", status="disabled"), RESERVED)]
    lines = access_lines(moving(azure_plan_item(), evidence=ready("p1")), seen)
    assert [(one.azure_id, one.name) for one in lines] == [("a1", "Production"), ("a2", "Test")]
    first = lines[0]
    assert (first.subscription_id, first.source_id, first.target_id) == ("p1", SE, TARGET)
    assert first.listed is not None
    assert (first.removed, first.added, first.has_moved, first.asks_before) == (None, None, False, True)


def test_what_moved_keeps_its_line_and_its_name():
    """No inventory lists it at the source again; the ledger knows what was given, an older inventory the name."""
    given = submit_intent("p1", entries=(SubscriptionId("a1"), SubscriptionId("r1")))
    settled = (attested(), (given, outcome(given, reference="transfer-1")))
    ticks = tuple(
        evidence(task, subscription_id="p1") for task in (TaskKind.OLD_ACCESS_REMOVED, TaskKind.NEW_ACCESS_ADDED)
    )
    known = moving(azure_plan_item(), settled=settled, counterparts=(MOVED,), evidence=ticks)
    (line,) = access_lines(known, [_read(azure("a1", name="Production"), RESERVED), _read()])
    assert (line.azure_id, line.name, line.has_moved) == ("a1", "Production", True)
    assert (line.removed, line.added, line.listed) == (*ticks, None)


def test_what_was_not_read_is_said_and_never_left_out():
    """Invariant 9: nobody may take a missing line for nothing to do."""
    (line,) = access_lines(moving(azure_plan_item()), [])
    assert (line.azure_id, "not verified" in line.name) == ("", True)
    (empty,) = access_lines(moving(azure_plan_item()), [_read()])
    assert "nothing active below it" in empty.name
    elsewhere = replace(_read(azure("a1")), tenant_id=NO)
    assert _ids(access_lines(moving(azure_plan_item()), [elsewhere])) == [""]


def test_usage_based_azure_is_known_by_its_own_id():
    """Whether or not the inventory looked below it; nobody is asked for the list before support moves it."""
    (line,) = access_lines(moving(azure_item()), [])
    assert (line.azure_id, line.asks_before) == ("azure-1", False)


@pytest.mark.parametrize(
    ("planned", "has_lines"),
    [
        (azure_plan_item(), True),
        (azure_item(), True),
        (azure_item(route=Route.SKIP), False),
        (azure_plan_item(kind=ProductKind.AZURE_COMMITMENT), False),
        (seats_item(), False),
        (item(), False),
    ],
)
def test_only_what_holds_access_of_its_own_is_listed(planned: PlanItem, has_lines: bool):  # noqa: FBT001 - a case
    """Reservations and licenses have none; what is skipped has, once it moved."""
    assert bool(access_lines(moving(planned), [])) is has_lines
    assert has_lines <= concerns(plan_customer(planned))


def test_what_was_planned_again_after_it_moved_stays_on_the_list():
    """The two tasks afterwards are still open then."""
    done = counterpart("s1", "t1", origin=Origin.BY_HAND, verified_at=NOW)
    (line,) = access_lines(moving(azure_item(route=Route.SKIP), counterparts=(done,)), [])
    assert line.has_moved

"""What a person is asked, by route, and when it is asked."""

from __future__ import annotations

from datetime import date

import pytest

from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import ProductKind, Route
from tenantfold.domain.plan import Disposition, PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.states import Origin, Phase, Progress
from tenantfold.domain.tasks import GUIDES, Stage, may_be_asked, open_tasks, tasks_of, to_be_done
from tests.domain.hand_samples import azure_item, evidence, manual_item, request_intent
from tests.domain.samples import C1, NOW, POLICY, case, counterpart, item, outcome, plan_customer, plan_record

ASKS_BY_CALL = Policy(opens_service_requests=True)
AFTER = [TaskKind.OLD_ACCESS_REMOVED, TaskKind.NEW_ACCESS_ADDED]
DONE = counterpart("s1", "t1", origin=Origin.BY_HAND, verified_at=NOW)


def azure_plan() -> PlanItem:
    """An Azure plan on its way by transfer."""
    return azure_item(route=Route.AZURE_TRANSFER, kind=ProductKind.AZURE_PLAN)


@pytest.mark.parametrize(
    ("planned", "kinds"),
    [
        (item(), []),
        (manual_item(), [TaskKind.BOUGHT_AT_TARGET, TaskKind.ENDED_AT_SOURCE]),
        (manual_item(wire_status="frozen"), [TaskKind.STATUS_SETTLED]),
        (manual_item(wire_status="pending"), [TaskKind.STATUS_SETTLED]),
        (azure_item(), [TaskKind.HANDED_OFF, *AFTER]),
        (azure_plan(), [TaskKind.COST_HISTORY_EXPORTED, TaskKind.ACCESS_LISTED, *AFTER]),
        (item(route=Route.EXPIRE_AND_REBUY, ends_on=date(2026, 5, 4)), []),
        (item(route=Route.EXPIRE_AND_REBUY, ends_on=date(2026, 5, 5)), [TaskKind.END_OF_TERM_CHOSEN]),
        (item(route=Route.KEEP), []),
    ],
)
def test_every_route_has_its_tasks(planned: PlanItem, kinds: list[TaskKind]):
    """What only a person can do, in the order it is done."""
    assert [kind for kind, _ in may_be_asked(planned)] == kinds


def test_every_task_is_explained():
    """A kind without sentence, rule and owner could not be asked for."""
    assert set(GUIDES) == set(TaskKind)
    assert all(guide.sentence.endswith((".", ").")) and guide.rule for guide in GUIDES.values())


def test_nothing_is_ended_before_its_successor_is_bought():
    """One task after the other (invariant 1: no gap)."""
    waiting = case(manual_item())
    assert [one.kind for one in open_tasks(waiting, POLICY)] == [TaskKind.BOUGHT_AT_TARGET]
    bought = case(manual_item(), evidence=(evidence(TaskKind.BOUGHT_AT_TARGET),))
    assert [one.kind for one in open_tasks(bought, POLICY)] == [TaskKind.ENDED_AT_SOURCE]


def test_what_was_confirmed_is_not_asked_again():
    """Evidence of this very subscription and task; another's does not count."""
    listed = evidence(TaskKind.ACCESS_LISTED)
    other = evidence(TaskKind.COST_HISTORY_EXPORTED, subscription_id="s9")
    found = open_tasks(case(azure_plan(), evidence=(listed, other)), POLICY)
    assert [one.kind for one in found] == [TaskKind.COST_HISTORY_EXPORTED]


def test_access_is_cleaned_up_after_the_move_and_not_before():
    """The tasks after the move are listed once it is done, and nothing else is (R-172, R-182)."""
    assert [one.kind for one in open_tasks(case(azure_item()), POLICY)] == [TaskKind.HANDED_OFF]
    moved = open_tasks(case(azure_item(), counterparts=(DONE,)), POLICY)
    assert [(one.kind, one.stage) for one in moved] == [(kind, Stage.AFTER) for kind in AFTER]


def test_nobody_hands_off_what_the_program_may_ask_for_itself():
    """The API is tried first where it is allowed; after it refused again and again a person does it (R-179)."""
    assert tasks_of(case(azure_item()), azure_item(), ASKS_BY_CALL) == ()
    failed = tuple(
        (intent, outcome(intent, OutcomeKind.FAILED)) for intent in (request_intent(f"try-{n}") for n in range(3))
    )
    asked = tasks_of(case(azure_item(), settled=failed), azure_item(), ASKS_BY_CALL)
    assert [one.kind for one in asked] == [TaskKind.HANDED_OFF]
    assert tasks_of(case(azure_item(), settled=failed[:2]), azure_item(), ASKS_BY_CALL) == ()


def test_what_was_asked_by_call_is_not_asked_of_a_person():
    """Also not when the policy changed since: Microsoft has the request, or may have it."""
    intent = request_intent()
    done = case(azure_item(), settled=((intent, outcome(intent)),))
    in_doubt = case(azure_item(), open_intents=(intent,))
    assert open_tasks(done, POLICY) == open_tasks(in_doubt, POLICY) == ()


def test_the_move_itself_waits_for_the_customer():
    """Nothing can be bought or handed off before acceptance (R-48); what is exported before can be."""
    before = Progress(customer_id=C1, phase=Phase.INVITED)
    assert open_tasks(case(manual_item(), azure_item("s2"), progress=before), POLICY) == ()
    assert len(open_tasks(case(azure_plan(), progress=before), POLICY)) == 2


def test_a_plan_nobody_approved_or_that_blocks_asks_nobody():
    """Work on what may never move would be lost."""
    assert open_tasks(case(manual_item(), plan=plan_record(approved_at=None)), POLICY) == ()
    blocked = plan_customer(manual_item(), disposition=Disposition.BLOCKED)
    assert open_tasks(case(customer=blocked), POLICY) == ()


def test_the_sentence_names_what_when_and_how_to_confirm():
    """Three items by name, the rest by number; the command is complete."""
    tasks = open_tasks(case(*(manual_item(f"s{n}") for n in range(5))), POLICY)
    refusal = to_be_done(tasks)
    assert "Windows Server (s0): Buy it in the target's Partner Center" in refusal.detail
    assert refusal.detail.endswith("And 2 more.")
    assert "tenantfold tasks done c1 bought_at_target" in refusal.next_action
    with pytest.raises(ValueError, match="Nobody"):
        to_be_done(())

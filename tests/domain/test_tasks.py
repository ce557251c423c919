"""What a person is asked, by route, and when it is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import ProductKind, Route
from tenantfold.domain.plan import Disposition, PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Origin, Phase, Progress
from tenantfold.domain.tasks import GUIDES, Stage, may_be_asked, open_tasks, tasks_of, to_be_done, why_not_now
from tests.domain.hand_samples import azure_item, evidence, manual_item, request_intent
from tests.domain.samples import C1, NOW, POLICY, TODAY, case, counterpart, item, outcome, plan_customer, plan_record

ASKS_BY_CALL = Policy(opens_service_requests=True)
AFTER = [TaskKind.OLD_ACCESS_REMOVED, TaskKind.NEW_ACCESS_ADDED]
DONE = counterpart("s1", "t1", origin=Origin.BY_HAND, verified_at=NOW)

BEFORE = Progress(customer_id=C1, phase=Phase.INVITED)


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
        (azure_plan(), [TaskKind.COST_HISTORY_EXPORTED, TaskKind.ACCESS_LISTED, TaskKind.TRANSFER_UNBLOCKED, *AFTER]),
        (item(route=Route.TRANSFER), [TaskKind.TRANSFER_UNBLOCKED]),
        (item(route=Route.EXPIRE_AND_REBUY), [TaskKind.END_OF_TERM_CHOSEN, TaskKind.DATA_SAFE]),
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
    assert [one.kind for one in open_tasks(waiting, POLICY, TODAY)] == [TaskKind.BOUGHT_AT_TARGET]
    bought = case(manual_item(), evidence=(evidence(TaskKind.BOUGHT_AT_TARGET),))
    assert [one.kind for one in open_tasks(bought, POLICY, TODAY)] == [TaskKind.ENDED_AT_SOURCE]


def test_what_was_confirmed_is_not_asked_again():
    """Evidence of this very subscription and task; another's does not count."""
    listed = evidence(TaskKind.ACCESS_LISTED)
    other = evidence(TaskKind.COST_HISTORY_EXPORTED, subscription_id="s9")
    found = open_tasks(case(azure_plan(), evidence=(listed, other)), POLICY, TODAY)
    assert [one.kind for one in found] == [TaskKind.COST_HISTORY_EXPORTED]


def test_access_is_cleaned_up_after_the_move_and_not_before():
    """The tasks after the move are listed once it is done, and nothing else is (R-172, R-182)."""
    assert [one.kind for one in open_tasks(case(azure_item()), POLICY, TODAY)] == [TaskKind.HANDED_OFF]
    moved = open_tasks(case(azure_item(), counterparts=(DONE,)), POLICY, TODAY)
    assert [(one.kind, one.stage) for one in moved] == [(kind, Stage.AFTER) for kind in AFTER]
    planned_again = azure_item(route=Route.SKIP, wire_status="suspended")
    assert open_tasks(case(planned_again, counterparts=(DONE,)), POLICY, TODAY) == moved
    assert open_tasks(case(planned_again), POLICY, TODAY) == ()


def test_nobody_hands_off_what_the_program_may_ask_for_itself():
    """The API is tried first where it is allowed; after it refused again and again a person does it (R-179)."""
    assert tasks_of(case(azure_item()), azure_item(), ASKS_BY_CALL, TODAY) == ()
    failed = tuple(
        (intent, outcome(intent, OutcomeKind.FAILED)) for intent in (request_intent(f"try-{n}") for n in range(3))
    )
    asked = tasks_of(case(azure_item(), settled=failed), azure_item(), ASKS_BY_CALL, TODAY)
    assert [one.kind for one in asked] == [TaskKind.HANDED_OFF]
    assert tasks_of(case(azure_item(), settled=failed[:2]), azure_item(), ASKS_BY_CALL, TODAY) == ()


@pytest.mark.parametrize(
    ("ends_on", "today", "kinds"),
    [
        (date(2026, 5, 4), date(2026, 5, 1), []),
        (date(2026, 5, 5), date(2026, 5, 5), [TaskKind.END_OF_TERM_CHOSEN]),
        (date(2026, 5, 5), date(2026, 5, 6), [TaskKind.DATA_SAFE]),
        (date(2026, 5, 4), date(2026, 6, 3), []),
        (date(2026, 5, 4), date(2026, 6, 4), [TaskKind.DATA_SAFE]),
        (None, date(2026, 6, 4), []),
    ],
)
def test_what_runs_out_asks_for_its_end_and_when_late_for_its_data(
    ends_on: date | None, today: date, kinds: list[TaskKind]
):
    """Since May 2026 a term ends only by choice, and without days of grace (commerce reference 3.7, R-132)."""
    planned = item(route=Route.EXPIRE_AND_REBUY, kind=ProductKind.LICENSE, ends_on=ends_on)
    assert [one.kind for one in tasks_of(case(planned), planned, POLICY, today)] == kinds


def test_the_end_of_an_earlier_term_is_not_the_end_of_this_one():
    """It was renewed since: the choice is to be made again."""
    planned = item(
        route=Route.EXPIRE_AND_REBUY, kind=ProductKind.LICENSE, term_duration="P1Y", ends_on=date(2027, 9, 1)
    )
    old = evidence(TaskKind.END_OF_TERM_CHOSEN)
    assert tasks_of(case(planned, evidence=(old,)), planned, POLICY, TODAY) != ()
    new = evidence(TaskKind.END_OF_TERM_CHOSEN, at=datetime(2026, 9, 2, tzinfo=UTC))
    assert tasks_of(case(planned, evidence=(old, new)), planned, POLICY, TODAY) == ()


@pytest.mark.parametrize(
    ("subject", "kind", "words"),
    [
        (case(item()), TaskKind.HANDED_OFF, "has no task handed_off"),
        (case(azure_item()), TaskKind.OLD_ACCESS_REMOVED, "has not moved yet"),
        (case(azure_item(), counterparts=(DONE,)), TaskKind.HANDED_OFF, "has moved already"),
        (case(manual_item(), progress=BEFORE), TaskKind.BOUGHT_AT_TARGET, "has not accepted"),
        (case(manual_item()), TaskKind.ENDED_AT_SOURCE, "confirm bought_at_target first"),
        (case(azure_item(), open_intents=(request_intent(),)), TaskKind.HANDED_OFF, "through the API already"),
        (case(azure_item()), TaskKind.HANDED_OFF, ""),
    ],
)
def test_what_cannot_be_confirmed_now_says_why(subject: Case, kind: TaskKind, words: str):
    """A sentence each."""
    found = why_not_now(subject, subject.customer.items[0], kind)
    assert words in found
    assert bool(words) == bool(found)


def test_what_was_asked_by_call_is_not_asked_of_a_person():
    """Also not when the policy changed since: Microsoft has the request, or may have it."""
    intent = request_intent()
    done = case(azure_item(), settled=((intent, outcome(intent)),))
    in_doubt = case(azure_item(), open_intents=(intent,))
    assert open_tasks(done, POLICY, TODAY) == open_tasks(in_doubt, POLICY, TODAY) == ()


def test_the_move_itself_waits_for_the_customer():
    """Nothing can be bought or handed off before acceptance (R-48); what is exported before can be."""
    assert open_tasks(case(manual_item(), azure_item("s2"), progress=BEFORE), POLICY, TODAY) == ()
    assert len(open_tasks(case(azure_plan(), progress=BEFORE), POLICY, TODAY)) == 2


def test_a_plan_nobody_approved_or_that_blocks_asks_nobody():
    """Work on what may never move would be lost; but a status nobody knows is what blocks, so it is asked for."""
    assert open_tasks(case(manual_item(), plan=plan_record(approved_at=None)), POLICY, TODAY) == ()
    blocked = plan_customer(manual_item(), manual_item("s2", wire_status="odd"), disposition=Disposition.BLOCKED)
    found = open_tasks(case(customer=blocked), POLICY, TODAY)
    assert [(one.subscription_id, one.kind) for one in found] == [("s2", TaskKind.STATUS_SETTLED)]


def test_the_sentence_names_what_when_and_how_to_confirm():
    """Three items by name, the rest by number; the command is complete."""
    tasks = open_tasks(case(*(manual_item(f"s{n}") for n in range(5))), POLICY, TODAY)
    refusal = to_be_done(tasks)
    assert "Windows Server (s0): Buy it in the target's Partner Center" in refusal.detail
    assert refusal.detail.endswith("And 2 more.")
    assert "tenantfold tasks done c1 bought_at_target" in refusal.next_action
    with pytest.raises(ValueError, match="Nobody"):
        to_be_done(())

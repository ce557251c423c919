"""Transfers between two partner tenants, asked step by step: ask, give, follow, verify (rules H)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tenantfold.domain.actions import (
    Action,
    AdoptOutcome,
    Attest,
    CancelTransfer,
    MarkArrived,
    MarkSuspended,
    Observe,
    Pause,
    PlaceOrder,
    RequestTransfer,
    SubmitTransfer,
)
from tenantfold.domain.course import next_action, parts_of
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import SubscriptionId
from tenantfold.domain.observation import Observation, Part
from tenantfold.domain.records import Case
from tenantfold.domain.requests import TransferLine, TransferState
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase
from tests.domain.samples import CONTACT, NO, NOW, ORDER, POLICY, SE, TARGET, attested, item, later, outcome, source
from tests.domain.transfers import (
    EMAIL,
    T1,
    arrived,
    moved_line,
    moving,
    request_intent,
    seats,
    seats_item,
    seen,
    submit_intent,
    transfer,
)

DONE = TransferState.COMPLETE
FAILED_LINE = TransferLine(id=SubscriptionId("n1"), status="Failed", error="900103 not in sync")


def _next(known: Case, read: Observation | None, *, seconds: float = 0.0) -> Action:
    if read is not None:
        read = replace(read, at=later(seconds=seconds))
    return next_action(known, read, later(seconds=seconds), POLICY)


def _waits(action: Action) -> tuple[RefusalCode, Phase, Owner]:
    assert isinstance(action, Pause), action
    return action.refusal.code, action.refusal.phase, action.refusal.owner


def _noted(**fields: object) -> Counterpart:
    value = Counterpart(
        source_id=SubscriptionId("n1"), target_id=SubscriptionId("t1"), order_id=ORDER, origin=Origin.TRANSFERRED
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


# --- asking ----------------------------------------------------------------------------------------------------------


def test_the_target_asks_the_source_for_what_the_plan_moves():
    """It names customer, source, products and reseller; the source's own name is the shell's business (R-153)."""
    action = _next(moving(), seen(seats()))
    assert isinstance(action, RequestTransfer)
    assert action.subjects == ("n1",)
    wish = action.wish
    assert (wish.source_id, wish.customer_email, wish.customer_name) == (SE, EMAIL, "Ekdal AB")
    assert [one.value for one in wish.product_types] == ["OnlineServicesNCE"]


def test_a_customer_of_licenses_only_reads_no_transfers():
    """The lists are asked for customers whose routes need them."""
    assert parts_of(moving(item())) == frozenset()
    assert Part.TRANSFERS in parts_of(moving())
    assert Part.TRANSFERS in parts_of(moving(item(), open_intents=(submit_intent(),)))


def test_the_agreement_is_attested_before_anything_is_asked_for():
    """The customer accepts the target's terms first (R-146, R-164)."""
    assert _next(moving(settled=()), seen(seats(), has_agreement=False)) == Attest(CONTACT)
    assert isinstance(_next(moving(settled=()), seen(seats(), has_agreement=True)), RequestTransfer)


def test_what_changed_since_the_plan_is_not_asked_for():
    """Invariant 5; the other subscription goes on without it."""
    known = moving(seats_item(), seats_item("n2"))
    action = _next(known, seen(seats(license_count=9), seats("n2")))
    assert isinstance(action, RequestTransfer)
    assert action.subjects == ("n2",)
    assert _waits(_next(moving(), seen(seats(license_count=9))))[0] is RefusalCode.PLAN_STALE


def test_a_customer_without_an_address_is_not_asked_for():
    """Microsoft wants the customer's e-mail; it is never invented (R-153)."""
    known = moving()
    known = replace(known, customer=replace(known.customer, email=""))
    assert _waits(_next(known, seen(seats())))[0] is RefusalCode.PLAN_STALE


def test_licenses_to_be_ordered_again_come_first():
    """The same-day cutover never waits for a transfer (invariant 3)."""
    known = moving(item(), seats_item())
    assert isinstance(_next(known, seen(source(), seats())), PlaceOrder)


def test_one_request_holds_what_has_one_reseller():
    """The reseller on record stands on the request, so others go with another one (R-164)."""
    known = moving(seats_item(partner_id_on_record="500"), seats_item("n2", partner_id_on_record="700"))
    read = seen(seats(partner_id_on_record="500"), seats("n2", partner_id_on_record="700"))
    action = _next(known, read)
    assert isinstance(action, RequestTransfer)
    assert (action.subjects, action.wish.partner_on_record) == (("n1",), "500")


def test_what_waits_at_one_source_does_not_hold_up_another():
    """Two sources, two requests: one is with Microsoft, the other is asked."""
    known = moving(seats_item(), seats_item("n2", tenant_id=NO))
    read = seen(seats(), seats("n2", tenant_id=NO), transfers=(transfer(TransferState.IN_PROGRESS),))
    action = _next(known, read)
    assert isinstance(action, RequestTransfer)
    assert (action.subjects, action.wish.source_id) == (("n2",), NO)


# --- giving ----------------------------------------------------------------------------------------------------------


def test_the_source_gives_what_the_plan_says():
    """Whoever asked: a request that covers it is answered, with our items only."""
    action = _next(moving(), seen(seats(), seats("other"), transfers=(transfer(),)))
    assert isinstance(action, SubmitTransfer)
    assert (action.transfer.id, action.subjects, action.entries) == (T1, ("n1",), ("n1",))


def test_a_request_that_asks_for_everything_is_answered_too():
    """No product types means all of them (commerce reference 4.1)."""
    assert isinstance(_next(moving(), seen(seats(), transfers=(transfer(product_types=()),))), SubmitTransfer)


def test_a_request_for_the_wrong_things_is_taken_back():
    """There may be only one open between the two (900101)."""
    wrong = transfer(product_types=("AzureSubscription",))
    action = _next(moving(), seen(seats(), transfers=(wrong,)))
    assert action == CancelTransfer(wrong, (SubscriptionId("n1"),))
    assert isinstance(_next(moving(), seen(seats(), transfers=(transfer(partner_on_record="9"),))), CancelTransfer)


def test_at_most_25_items_go_with_one_request():
    """R-150: the rest goes with the next one."""
    names = [f"n{number:02}" for number in range(30)]
    known = moving(*(seats_item(name) for name in names))
    action = _next(known, seen(*(seats(name) for name in names), transfers=(transfer(),)))
    assert isinstance(action, SubmitTransfer)
    assert action.entries == tuple(names[:25])


def test_nothing_that_changed_is_given():
    """The last look before the source gives it away (invariant 5); the open request is told of."""
    action = _next(moving(), seen(seats(wire_status="suspended"), transfers=(transfer(),)))
    assert _waits(action) == (RefusalCode.PLAN_STALE, Phase.STALE, Owner.OPERATIONS)


def test_what_microsoft_does_not_transfer_is_left_out_the_next_time():
    """One bad line refuses them all and is named (R-167, 900134): the others go, that one needs another plan."""
    refused = submit_intent("n1", "n2")
    detail = "n2 is not available for a transfer."
    settled = (attested(), (refused, outcome(refused, OutcomeKind.FAILED, code="900134", detail=detail)))
    known = moving(seats_item(), seats_item("n2"), settled=settled)
    action = _next(known, seen(seats(), seats("n2"), transfers=(transfer(),)))
    assert isinstance(action, SubmitTransfer)
    assert action.entries == ("n1",)
    alone = moving(seats_item("n2"), settled=settled)
    waiting = _next(alone, seen(seats("n2")))
    assert _waits(waiting) == (RefusalCode.PLAN_STALE, Phase.STALE, Owner.OPERATIONS)


# --- following -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [TransferState.IN_PROGRESS, TransferState.UNKNOWN])
def test_what_is_under_way_is_waited_for(state: TransferState):
    """A word nobody knows counts as under way (invariant 9): nothing is asked for beside it."""
    action = _next(moving(), seen(seats(), transfers=(transfer(state),)))
    assert _waits(action) == (RefusalCode.SETTLING, Phase.TRANSFERRING, Owner.MICROSOFT)
    assert isinstance(action, Pause)
    assert action.refusal.due_at == later(seconds=POLICY.transfer_poll_seconds)


def test_what_we_did_last_must_show_before_anything_else_is_done():
    """A list that lags shows the request as pending still: it is not submitted twice."""
    asked, given = request_intent(), submit_intent()
    settled = (attested(), (asked, outcome(asked, reference=T1)), (given, outcome(given, reference=T1)))
    lagging = seen(seats(), transfers=(transfer(),))
    assert _waits(_next(moving(settled=settled), lagging))[0] is RefusalCode.SETTLING
    assert _waits(_next(moving(settled=settled[:2]), seen(seats())))[0] is RefusalCode.SETTLING
    late = _next(moving(settled=settled), lagging, seconds=POLICY.settling_seconds + 1)
    assert isinstance(late, SubmitTransfer)


def test_the_counterpart_of_a_line_is_noted_first_and_verified_then():
    """Nothing counts as moved because Microsoft says so: both sides must show it."""
    done = transfer(DONE, moved_line(order_id=ORDER))
    read = seen(arrived(), transfers=(done,))
    assert _next(moving(), read) == MarkArrived((_noted(),), Phase.TRANSFERRING)
    assert _next(moving(counterparts=(_noted(),)), read) == MarkArrived((_noted(verified_at=NOW),), Phase.TRANSFERRING)
    finished = moving(counterparts=(_noted(verified_at=NOW),))
    assert _next(finished, read) == MarkSuspended((), finished=True)


def test_a_line_without_the_new_id_is_found_by_what_it_is():
    """Only where exactly one subscription at the target is its equal (invariant 9)."""
    done = transfer(DONE, moved_line("n1", None))
    action = _next(moving(), seen(arrived(order_id=ORDER), arrived("other", license_count=9), transfers=(done,)))
    assert action == MarkArrived((_noted(),), Phase.TRANSFERRING)
    two = _next(moving(), seen(arrived(), arrived("t2"), transfers=(done,)))
    assert two == MarkArrived((_noted(target_id=None, order_id=""),), Phase.TRANSFERRING)
    unnamed = moving(counterparts=(_noted(target_id=None, order_id=""),))
    assert _waits(_next(unnamed, seen(arrived(), arrived("t2"), transfers=(done,))))[0] is RefusalCode.TARGET_MISSING


@pytest.mark.parametrize(
    "found",
    [
        arrived(license_count=4),
        arrived(term_duration="P1M"),
        arrived(commitment_end_on=None),
        arrived(partner_id_on_record="9"),
        arrived(wire_status="suspended"),
    ],
)
def test_what_arrived_otherwise_than_planned_is_for_a_person(found: object):
    """Quantity, term, end date and reseller stay as they were (R-149)."""
    assert not isinstance(found, str)
    read = seen(found, transfers=(transfer(DONE, moved_line()),))  # type: ignore[arg-type]  # a subscription
    assert _waits(_next(moving(counterparts=(_noted(),)), read)) == (RefusalCode.DRIFT, Phase.DRIFTED, Owner.OPERATIONS)


def test_a_term_that_was_renewed_since_the_plan_ends_on_another_day():
    """A monthly term may renew between the plan and the transfer: its end as planned is over then."""
    known = moving(seats_item(ends_on=NOW.date()), counterparts=(_noted(),))
    renewed = arrived(commitment_end_on=NOW.date() + timedelta(days=31))
    read = seen(renewed, transfers=(transfer(DONE, moved_line()),))
    assert _waits(_next(known, read))[0] is RefusalCode.DRIFT
    assert isinstance(_next(known, read, seconds=86_400), MarkArrived)


def test_what_still_reads_active_at_the_source_is_not_verified():
    """One of the two lists lags: look again."""
    read = seen(seats(), arrived(), transfers=(transfer(DONE, moved_line()),))
    action = _next(moving(counterparts=(_noted(),)), read)
    assert _waits(action) == (RefusalCode.TARGET_MISSING, Phase.TRANSFERRING, Owner.MICROSOFT)


def test_a_rejected_request_is_made_again_the_next_day():
    """Nobody is obliged to give anything (R-146): a person is told, and asking goes on."""
    read = seen(seats(), transfers=(transfer(TransferState.REJECTED),))
    assert _waits(_next(moving(), read)) == (RefusalCode.MICROSOFT_REFUSED, Phase.TRANSFERRING, Owner.OPERATIONS)
    assert isinstance(_next(moving(), read, seconds=timedelta(days=1).total_seconds()), RequestTransfer)


def test_a_line_that_failed_is_asked_for_again():
    """The rest of a partial transfer: soon the first time, later each time after (R-166)."""
    partial = transfer(TransferState.PARTIAL, FAILED_LINE, moved_line("n2", "t2"))
    known = moving(seats_item(), seats_item("n2"))
    read = seen(seats(), arrived("t2"), transfers=(partial,))
    first = _next(known, read)
    assert isinstance(first, MarkArrived)
    known = replace(known, counterparts=(_noted(source_id="n2", target_id=SubscriptionId("t2"), verified_at=NOW),))
    assert _waits(_next(known, read))[0] is RefusalCode.MICROSOFT_REFUSED
    again = _next(known, read, seconds=POLICY.retry_seconds)
    assert isinstance(again, RequestTransfer)
    assert again.subjects == ("n1",)


def test_the_farther_view_of_two_counts():
    """The target sees the end before the source's list does."""
    read = seen(arrived(), transfers=(transfer(TransferState.IN_PROGRESS),))
    both = replace(
        read, beside=replace(read.beside, transfers={SE: (transfer(),), TARGET: (transfer(DONE, moved_line()),)})
    )
    assert isinstance(_next(moving(), both), MarkArrived)


# --- an answer that was lost -----------------------------------------------------------------------------------------


def test_a_lost_request_is_found_in_the_list():
    """It is ours if it was made since and is not the effect of another call."""
    known = moving(open_intents=(request_intent(),))
    action = _next(known, seen(seats(), transfers=(transfer(),)))
    assert isinstance(action, AdoptOutcome)
    assert (action.outcome.kind, action.outcome.reference) == (OutcomeKind.ADOPTED, T1)
    older = transfer(created_at=NOW - timedelta(hours=1))
    assert _waits(_next(known, seen(seats(), transfers=(older,))))[1] is Phase.STRANDED


def test_a_lost_request_that_never_shows_is_closed_and_decided_anew():
    """After the settling time, on a read as fresh as that; it is never sent twice blindly."""
    known = moving(open_intents=(request_intent(),))
    action = _next(known, seen(seats()), seconds=POLICY.settling_seconds)
    assert isinstance(action, AdoptOutcome)
    assert (action.outcome.kind, action.outcome.code) == (OutcomeKind.FAILED, "not_applied")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (TransferState.IN_PROGRESS, OutcomeKind.ADOPTED),
        (TransferState.COMPLETE, OutcomeKind.ADOPTED),
        (TransferState.UNKNOWN, OutcomeKind.ADOPTED),
        (TransferState.CANCELED, OutcomeKind.FAILED),
    ],
)
def test_a_lost_submission_is_told_by_the_request(state: TransferState, kind: OutcomeKind):
    """A request that left its pending state took it, unless somebody ended it."""
    action = _next(moving(open_intents=(submit_intent(),)), seen(seats(), transfers=(transfer(state),)))
    assert isinstance(action, AdoptOutcome)
    assert action.outcome.kind is kind


def test_a_lost_submission_is_looked_up_only_on_a_fresh_read():
    """And whatever the plan says: reconciliation comes first (invariant 6)."""
    assert _next(moving(open_intents=(submit_intent(),)), None) == Observe()
    pending = _next(moving(open_intents=(submit_intent(),)), seen(seats(), transfers=(transfer(),)))
    assert _waits(pending)[1] is Phase.STRANDED

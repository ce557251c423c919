"""Explanations: where a customer stands, why, and who must act next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.explanation import explain, next_step, standing_of, why
from tenantfold.domain.findings import Severity
from tenantfold.domain.model import Route
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Case
from tenantfold.domain.states import Origin, Owner, Phase, Progress
from tests.domain.samples import C1, NOW, case, counterpart, finding, item, plan_customer, plan_record


def _in(phase: Phase, **fields: object) -> Progress:
    value = Progress(customer_id=C1, phase=phase)
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def _case(phase: Phase, **fields: object) -> Case:
    return case(progress=_in(phase, **fields))


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_sentence_and_a_next_step(phase: Phase):
    """Nobody is left without a word about where it stands, and only who is finished has nothing to do."""
    told = explain(_case(phase))
    assert told.standing.startswith("Ekdal AB ")
    assert told.standing.endswith(".")
    assert told.next_action
    assert (told.owner is Owner.NOBODY) is phase.is_final


def test_sentences_differ():
    """Two phases never read the same."""
    assert len({explain(_case(phase)).standing for phase in Phase}) == len(Phase)


@pytest.mark.parametrize(
    ("progress", "owner", "action"),
    [
        (_in(Phase.PLANNED), Owner.OPERATIONS, "Run: tenantfold invite"),
        (_in(Phase.INVITED), Owner.CUSTOMER, "Remind the customer of the invitation."),
        (_in(Phase.ACCEPTED), Owner.TENANTFOLD, "Run: tenantfold run"),
        (_in(Phase.STALE, owner=Owner.OPERATIONS, next_action="Plan again."), Owner.OPERATIONS, "Plan again."),
        (_in(Phase.MOVED, owner=Owner.OPERATIONS, next_action="Old words."), Owner.NOBODY, "Nothing."),
        (_in(Phase.NOTHING_TO_MOVE), Owner.NOBODY, "Nothing."),
    ],
    ids=lambda value: value.phase.value if isinstance(value, Progress) else "",
)
def test_says_who_acts_next(progress: Progress, owner: Owner, action: str):
    """The row's own words win, unless the customer is finished."""
    assert next_step(progress) == (owner, action)


def test_an_unapproved_plan_waits_for_its_approver():
    """Whatever the row says: nothing runs before the approval."""
    waiting = replace(_case(Phase.ACCEPTED), plan=plan_record(approved_at=None))
    told = explain(waiting)
    assert told.owner is Owner.APPROVER
    assert "tenantfold approve abcdef012345" in told.next_action


@pytest.mark.parametrize(
    ("phase", "disposition"), [(Phase.MOVED, Disposition.MOVE), (Phase.BLOCKED, Disposition.BLOCKED)]
)
def test_who_is_finished_or_blocked_does_not_wait_for_the_approver(phase: Phase, disposition: Disposition):
    """Approval would change nothing for it."""
    known = replace(_case(phase), plan=plan_record(approved_at=None), customer=plan_customer(disposition=disposition))
    assert explain(known).owner is not Owner.APPROVER


def test_reasons_come_with_their_rules_and_once():
    """What the row says first, then the other findings; what needs nobody is left out, nothing is said twice."""
    nothing = finding(Severity.NOTE, "Another country.")
    customer = plan_customer(
        item(findings=(finding(Severity.WARNING, "Other licenses."),)),
        findings=(finding(detail="It cannot be read."), replace(nothing, owner=Owner.NOBODY)),
    )
    told = explain(replace(_case(Phase.BLOCKED, detail="It cannot be read."), customer=customer))
    asked = "operations: Take inventory again."
    assert told.reasons == (
        f"blocker [invariant 9] It cannot be read. {asked}",
        f"warning [invariant 9] Other licenses. {asked}",
    )
    moving = explain(replace(_case(Phase.DRIFTED, detail="Count differs."), customer=customer))
    assert moving.reasons[0] == "Count differs."
    assert explain(replace(_case(Phase.BLOCKED), customer=customer)).reasons[0].startswith("blocker [invariant 9]")


def test_a_note_that_names_who_acts_is_told():
    """Perpetual software stays where it is, and still somebody saves its keys."""
    customer = plan_customer(findings=(finding(Severity.NOTE, "Perpetual software stays."),))
    assert explain(replace(_case(Phase.MOVED), customer=customer)).reasons == (
        "note [invariant 9] Perpetual software stays. operations: Take inventory again.",
    )


def test_why_is_one_sentence():
    """The detail, or the phase in words."""
    assert why("Ekdal AB", _in(Phase.STALE, detail="Seats changed.")) == "Seats changed."
    assert why("Ekdal AB", _in(Phase.MOVED)) == "Ekdal AB has moved."


@pytest.mark.parametrize(
    ("route", "fields", "words"),
    [
        (Route.SKIP, None, "stays"),
        (Route.RECREATE, None, "not ordered yet"),
        (Route.RECREATE, {}, "ordered, not verified yet"),
        (Route.RECREATE, {"origin": Origin.ADOPTED}, "adopted, not verified yet"),
        (Route.RECREATE, {"verified_at": NOW}, "ordered, verified 2026-03-02 08:00 UTC"),
        (
            Route.RECREATE,
            {"verified_at": NOW, "suspended_at": NOW},
            "ordered, verified, source suspended 2026-03-02 08:00 UTC",
        ),
    ],
)
def test_says_how_far_a_subscription_is(route: Route, fields: dict[str, object] | None, words: str):
    """From staying to suspended."""
    known = counterpart(**fields) if fields is not None else None
    assert standing_of(item(route=route), known) == words


def test_an_estimated_date_is_told_once():
    """Where the sentence does not name it already."""
    day = NOW.date()
    dated = replace(finding(detail="The term ends."), estimated_on=day)
    named = replace(finding(detail=f"The term ends on {day}."), estimated_on=day)
    blocked = plan_customer(findings=(dated, named), disposition=Disposition.BLOCKED)
    reasons = explain(replace(_case(Phase.BLOCKED), customer=blocked)).reasons
    assert [reason.count(str(day)) for reason in reasons] == [1, 1]
    assert f"(estimated: {day})" in reasons[0]

"""The judge of who steers (simulation room): the held did not begin, the stopped got no call, waves kept their size.

What was ordered is in the helm's own marks; when the ledger allowed a call, and when one left, the processes noted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta

from tenantfold.domain.journal import Intent, OpKind, OutcomeKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Case
from tenantfold.domain.waves import Held
from tenantfold.simulation.hearing import Hearing, intents_of, name_in
from tenantfold.simulation.life import Decision, Life
from tenantfold.simulation.steering import Helm, Mark

_GOES_ON = frozenset({OpKind.ATTEST_AGREEMENT, OpKind.SUSPEND, OpKind.WITHDRAW, OpKind.CANCEL_TRANSFER})
"""What is no beginning: the rest of something, or nothing that costs."""


def steered(hearing: Hearing) -> None:
    """Everything that must hold specially where somebody steers."""
    helm = hearing.simulation.helm
    if helm is None:
        return
    for sentence in helm.window.broken:
        hearing.say("broken", sentence)
    numbers = {CustomerId(one): number for number, one in helm.ids.items()}
    intents = {one.key: one for case in hearing.cases.values() for one in intents_of(case)}
    for life in hearing.simulation.record.lives:
        _stopped(hearing, helm, life, numbers, intents)
    decisions = sorted(
        (one for life in hearing.simulation.record.lives for one in life.decisions), key=lambda one: one.number
    )
    _closed(hearing, helm, decisions, numbers)
    _radius(hearing, helm, decisions, numbers, intents)


def is_left_held(hearing: Hearing, case: Case) -> bool:
    """Whether a customer is held in the end; said aloud when nobody of ours holds it any more."""
    helm = hearing.simulation.helm
    if helm is None or case.held is Held.NOTHING or case.customer.disposition is not Disposition.MOVE:
        return False
    who = name_in(hearing, case.customer.customer_id)
    if not any(helm.ids[number] == case.customer.customer_id for number in helm.script.stays):
        hearing.say("stuck", f"{who} is held ({case.held.value}), and nobody holds it any more.")
    return True


def stays_held(hearing: Hearing, number: int) -> bool:
    """Whether nobody lets this customer go on, should it be held."""
    helm = hearing.simulation.helm
    return helm is not None and number in helm.script.stays


def was_stopped(hearing: Hearing, number: int) -> bool:
    """Whether somebody wanted this customer to be left between two bills for a while."""
    helm = hearing.simulation.helm
    return helm is not None and number in helm.ever_stopped


# --- abort --now -----------------------------------------------------------------------------------------------------


def _stopped(
    hearing: Hearing, helm: Helm, life: Life, numbers: Mapping[CustomerId, int], intents: Mapping[str, Intent]
) -> None:
    """No call is decided on after a stop, and none leaves that was not decided on before it (ADR 0017)."""
    for one in life.decisions:
        mark = _mark_at(helm, one.number)
        if mark is not None and numbers[one.customer_id] in mark.stopped:
            what = one.kind.value if one.kind is not None else "a call once more"
            hearing.say("stopped", f"{name_in(hearing, one.customer_id)}: {what} was allowed although it was stopped.")
    decided: dict[str, list[int]] = defaultdict(list)
    for one in life.decisions:
        if one.intent_key in intents:
            decided[str(intents[one.intent_key].request_id)].append(one.number)
    customers = {str(one.request_id): one.customer_id for one in intents.values()}
    for request_id, number in life.sent:
        customer_id = customers.get(request_id)
        mark = _mark_at(helm, number)
        if customer_id is None or mark is None or numbers[customer_id] not in mark.stopped:
            continue
        since = _stopped_since(helm, numbers[customer_id], number)
        if not any(decision < since for decision in decided[request_id]):
            hearing.say(
                "stopped", f"{name_in(hearing, customer_id)}: a call left that nobody decided on before its stop."
            )


def _stopped_since(helm: Helm, customer: int, number: int) -> int:
    """The number of the commit from which on a customer is stopped without a break up to ``number``."""
    since = number
    for mark in reversed([one for one in helm.marks if one.number < number]):
        if customer not in mark.stopped:
            break
        since = mark.number
    return since


def _mark_at(helm: Helm, number: int) -> Mark | None:
    """What held when the commit of this number was made."""
    return next((one for one in reversed(helm.marks) if one.number < number), None)


# --- holds and waves -------------------------------------------------------------------------------------------------


def _closed(hearing: Hearing, helm: Helm, decisions: list[Decision], numbers: Mapping[CustomerId, int]) -> None:
    """Nobody begins that is held, in no wave, or in one that does not run. A hold that comes after the gate is late."""
    for one in decisions:
        if one.kind is None or one.kind in _GOES_ON or _has_begun(hearing, one, decisions):
            continue
        marks = [mark for mark in helm.marks if mark.number < one.number]
        known = [mark for mark in marks if mark.at < one.asked_at]
        since = [*known[-1:], *marks[len(known) :]]
        if known and all(_is_closed(hearing, mark, numbers[one.customer_id], one) for mark in since):
            who = name_in(hearing, one.customer_id)
            hearing.say("held", f"{who}: {one.kind.value} was begun although it was held.")


def _is_closed(hearing: Hearing, mark: Mark, number: int, decision: Decision) -> bool:
    if number not in mark.closed:
        return False
    until = mark.closed[number]
    started_at = hearing.simulation.stage.world.started_at
    return until is None or started_at + timedelta(seconds=decision.asked_at) < until


def _has_begun(hearing: Hearing, decision: Decision, decisions: list[Decision]) -> bool:
    """Whether a call of the customer had an effect before, or may have had one."""
    case = hearing.cases[decision.customer_id]
    failed = {intent.key for intent, outcome in case.settled if outcome.kind is OutcomeKind.FAILED}
    return any(
        one.number < decision.number
        and one.customer_id == decision.customer_id
        and one.kind is not OpKind.ATTEST_AGREEMENT
        and one.intent_key not in failed
        for one in decisions
    )


def _radius(
    hearing: Hearing,
    helm: Helm,
    decisions: list[Decision],
    numbers: Mapping[CustomerId, int],
    intents: Mapping[str, Intent],
) -> None:
    """A wave that nobody answers for lets no more customers begin, and orders no more licenses, than is allowed.

    A plan that is approved after its start may bring in customers that had nothing to move, or could not, before.
    """
    began: dict[str, dict[CustomerId, dict[str, int]]] = defaultdict(dict)
    for one in decisions:
        mark = _mark_at(helm, one.number)
        wave = mark.waves.get(numbers[one.customer_id]) if mark is not None else None
        if wave is None or one.kind is None or one.kind in _GOES_ON:
            continue
        lines = began[wave].setdefault(one.customer_id, {})
        lines |= dict(_lines(intents.get(one.intent_key)))
    script, approvals = helm.script, hearing.simulation.record.approved.values()
    for wave, customers in began.items():
        weighed_at = helm.waves[wave].weighed_at
        is_planned_anew = weighed_at is not None and any(at > weighed_at for at in approvals)
        if helm.waves[wave].is_answered or is_planned_anew:
            continue
        seats = sum(count for lines in customers.values() for count in lines.values())
        if script.max_customers and len(customers) > script.max_customers:
            hearing.say("radius", f"{wave}: {len(customers)} customers began; {script.max_customers} are allowed.")
        if script.max_seats and not hearing.simulation.record.portal and seats > script.max_seats:
            hearing.say("radius", f"{wave}: {seats} licenses were ordered; {script.max_seats} are allowed.")


def _lines(intent: Intent | None) -> Iterator[tuple[str, int]]:
    if intent is not None and intent.kind is OpKind.PLACE_ORDER:
        for line in intent.lines:
            yield line.source_subscription_id, line.license_count

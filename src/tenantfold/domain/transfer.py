"""What happens next to what moves by transfer between the partner tenants: new commerce and Azure (domain room).

Between one source and the target only one request of a customer may be open (commerce reference 4.1, 900101), so one
machine drives both routes. The target asks, the source gives what the plan says, Microsoft moves it, and the rest is
looked up by reading; nothing is ever suspended. What Azure needs before it may move is in ``domain.azure_transfer``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from tenantfold.domain import azure_transfer, guards, transfer_refusals, transfer_settling
from tenantfold.domain.actions import (
    Action,
    CancelTransfer,
    MarkArrived,
    Observe,
    Pause,
    RequestTransfer,
    SubmitTransfer,
)
from tenantfold.domain.attempts import LONGEST_PAUSE, failures, pause_after, waiting_after_failure
from tenantfold.domain.azure_transfer import Portion
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.machine import Machine, together, unfinished
from tenantfold.domain.model import OrderId, Route, SubscriptionId, TenantId, WireStatus
from tenantfold.domain.observation import Observation, Part
from tenantfold.domain.parity import compare_moved
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.requests import (
    TRANSFER_ITEMS,
    Transfer,
    TransferId,
    TransferLine,
    TransferProduct,
    TransferState,
    TransferWish,
)
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase
from tenantfold.domain.transfer_view import attempts_at, done_lines, transfers_between

ROUTES = frozenset({Route.TRANSFER, Route.AZURE_TRANSFER})
EXPIRY_WARNING = timedelta(days=3)  # how early a request that expires is a person's
REJECTED_PAUSE = timedelta(hours=24)  # somebody at the source said no: asked again the next day, not at once


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """One source and the target, for one customer: the items still to move, and the requests between the two."""

    case: Case
    observation: Observation
    now: datetime
    policy: Policy
    source_id: TenantId
    items: tuple[PlanItem, ...]
    transfers: Mapping[TransferId, Transfer]


def forward(case: Case, observation: Observation, now: datetime, policy: Policy) -> Action | None:
    """The next step of the transfers of a customer; what waits at one source does not hold up another."""
    if observation.target_is_old or observation.source_is_old:
        return Observe()
    waiting: list[Refusal] = []
    items = sorted(unfinished(case, ROUTES), key=lambda one: (one.tenant_id, one.subscription_id))
    for source_id, group in groupby(items, key=lambda one: one.tenant_id):
        pair = _Pair(
            case=case,
            observation=observation,
            now=now,
            policy=policy,
            source_id=source_id,
            items=tuple(group),
            transfers=transfers_between(observation, source_id, case.plan.header.target_id),
        )
        for answer in _answers(pair):
            if not isinstance(answer, Refusal):
                return answer
            waiting.append(answer)
    return Pause(together(waiting)) if waiting else None


def _answers(pair: _Pair) -> Iterator[Action | Refusal]:
    """First what has arrived, then what is under way, then what is still to be asked for."""
    arrived, late = _arrived(pair)
    if arrived:
        yield MarkArrived(arrived, Phase.TRANSFERRING)
    yield from late
    under_way = [one for one in pair.transfers.values() if not one.state.is_over]
    unseen = _unseen(pair)
    if unseen is not None:
        yield unseen
    elif any(one.state is not TransferState.PENDING for one in under_way):
        moving = next(one for one in under_way if one.state is not TransferState.PENDING)
        yield from _expiring(pair, moving, (_in_progress(pair, moving),))
    elif under_way:
        yield from _expiring(pair, under_way[0], _to_ask_for(pair, under_way[0]))
    else:
        yield from _to_ask_for(pair, None)


# --- what has arrived ------------------------------------------------------------------------------------------------


def _arrived(pair: _Pair) -> tuple[tuple[Counterpart, ...], list[Refusal]]:
    """Counterparts to note or to verify, and why others are not verified yet."""
    known = {one.source_id: one for one in pair.case.counterparts}
    done = done_lines(pair.transfers.values())
    found: list[Counterpart] = []
    late: list[Refusal] = []
    for item in pair.items:
        if item.route is Route.AZURE_TRANSFER:
            look_again = pair.now + timedelta(seconds=pair.policy.retry_seconds)
            merged = azure_transfer.merged(item, pair.case, pair.observation, done, look_again)
            if isinstance(merged, Counterpart):
                found.append(merged)
            elif merged is not None:
                late.append(merged)
            continue
        counterpart = known.get(item.subscription_id)
        if counterpart is None or counterpart.target_id is None:
            line = done.get(item.subscription_id)
            if line is not None:
                counterpart = _noted(pair, item, line)
                found.append(counterpart)
            continue
        refusal = _not_verified(pair, item, counterpart)
        if refusal is None:
            at = pair.observation.target_at or pair.observation.at
            found.append(replace(counterpart, verified_at=at))
        else:
            late.append(refusal)
    fresh = tuple(one for one in found if one != known.get(one.source_id))
    unnamed = [one for one in found if one.target_id is None and one.origin is Origin.TRANSFERRED]
    late += [
        _not_shown(pair, item) for item in pair.items if any(one.source_id == item.subscription_id for one in unnamed)
    ]
    return fresh, late


def _noted(pair: _Pair, item: PlanItem, line: TransferLine) -> Counterpart:
    """The counterpart a line names, or the only new one at the target that is what the item was."""
    target_id = line.target_id or _alike(pair, item)
    target = pair.observation.target.get(target_id) if target_id else None
    return Counterpart(
        source_id=item.subscription_id,
        target_id=target_id,
        order_id=line.order_id or (target.order_id if target else OrderId("")),
        origin=Origin.TRANSFERRED,
    )


def _alike(pair: _Pair, item: PlanItem) -> SubscriptionId | None:
    taken = {one.target_id for one in pair.case.counterparts}
    alike = [
        one
        for one in pair.observation.target.values()
        if one.id not in taken and not compare_moved(item, one, pair.now.date())
    ]
    return alike[0].id if len(alike) == 1 else None


def _not_verified(pair: _Pair, item: PlanItem, counterpart: Counterpart) -> Refusal | None:
    """Why something that Microsoft calls moved does not count as moved yet; None when both sides show it."""
    target = pair.observation.target.get(counterpart.target_id) if counterpart.target_id else None
    if target is None:
        return _not_shown(pair, item)
    drifts = compare_moved(item, target, pair.now.date())
    if drifts or target.wire_status != WireStatus.ACTIVE:
        what = "; ".join(map(str, drifts)) or f"it is '{target.wire_status}' at the target, not active"
        return Refusal(
            code=RefusalCode.DRIFT,
            phase=Phase.DRIFTED,
            rule="R-149",
            detail=f"{item.offer_name} was transferred but differs: {what}.",
            owner=Owner.OPERATIONS,
            next_action="Make it equal to what the plan shows, in the target's Partner Center, then run again.",
        )
    source = pair.observation.source.get(item.subscription_id)
    if source is not None and source.wire_status == WireStatus.ACTIVE:
        return _not_shown(pair, item, "still reads active at the source")
    return None


def _not_shown(pair: _Pair, item: PlanItem, what: str = "does not show at the target yet") -> Refusal:
    return Refusal(
        code=RefusalCode.TARGET_MISSING,
        phase=Phase.TRANSFERRING,
        rule="R-161",
        detail=f"{item.offer_name} was transferred, but {what}.",
        owner=Owner.MICROSOFT,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=pair.now + timedelta(seconds=pair.policy.retry_seconds),
    )


# --- what is under way -----------------------------------------------------------------------------------------------


def _unseen(pair: _Pair) -> Refusal | None:
    """Why the lists cannot be trusted yet: they do not show what we did last. Nothing new begins before they do."""
    for kind in (OpKind.REQUEST_TRANSFER, OpKind.SUBMIT_TRANSFER, OpKind.CANCEL_TRANSFER):
        newest = _newest(pair, kind)
        if newest is None:
            continue
        _, outcome = newest
        seen = pair.transfers.get(TransferId(outcome.reference))
        lags = seen is None or (kind is not OpKind.REQUEST_TRANSFER and seen.state is TransferState.PENDING)
        if lags and (pair.now - outcome.at).total_seconds() < pair.policy.settling_seconds:
            return Refusal(
                code=RefusalCode.SETTLING,
                phase=Phase.TRANSFERRING,
                rule="invariant 6",
                detail=f"The lists do not show yet what became of the transfer {outcome.reference}.",
                owner=Owner.MICROSOFT,
                next_action="Keep tenantfold run going, or run it again: it looks again.",
                due_at=pair.now + timedelta(seconds=pair.policy.retry_seconds),
            )
    return None


def _newest(pair: _Pair, kind: OpKind) -> tuple[Intent, Outcome] | None:
    """Our newest call of a kind between the two that came true."""
    found = [
        (intent, outcome)
        for intent, outcome in pair.case.settled
        if intent.kind is kind
        and outcome.kind is not OutcomeKind.FAILED
        and transfer_settling.source_of(intent, pair.case) == pair.source_id
    ]
    return found[-1] if found else None


def _in_progress(pair: _Pair, transfer: Transfer) -> Refusal:
    word = f"is '{transfer.status}'" if transfer.state is TransferState.UNKNOWN else "is under way at Microsoft"
    return Refusal(
        code=RefusalCode.SETTLING,
        phase=Phase.TRANSFERRING,
        rule="R-166",
        detail=f"The transfer {transfer.id} {word}; minutes are usual, three days are possible.",
        owner=Owner.MICROSOFT,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=pair.now + timedelta(seconds=pair.policy.transfer_poll_seconds),
    )


def _expiring(pair: _Pair, transfer: Transfer, answers: Iterable[Action | Refusal]) -> Iterator[Action | Refusal]:
    """The answers about a request that expires when nobody gives what it asks for: looked at in time, told in time."""
    expires_at = transfer.expires_at
    if expires_at is None or transfer.state is TransferState.IN_PROGRESS or expires_at <= pair.now:
        yield from answers
        return
    reminds_at = expires_at - EXPIRY_WARNING
    if pair.now >= reminds_at:
        yield _expires(transfer, expires_at)
    look_at = reminds_at if pair.now < reminds_at else expires_at
    for answer in answers:
        if isinstance(answer, Refusal):
            yield replace(answer, due_at=min(answer.due_at or look_at, look_at))
        else:
            yield answer


def _expires(transfer: Transfer, expires_at: datetime) -> Refusal:
    return Refusal(
        code=RefusalCode.NEEDS_PERSON,
        phase=Phase.TRANSFERRING,
        rule="R-147",
        detail=f"The transfer {transfer.id} expires on {expires_at:%Y-%m-%d} and has not been accepted.",
        owner=Owner.OPERATIONS,
        next_action=f"Transfer {transfer.id} expires on {expires_at:%Y-%m-%d %H:%M} UTC; accept or cancel it. Remove "
        "what is named beside it and the run accepts it, or cancel it in the target's Partner Center.",
        due_at=expires_at,
    )


# --- what is still to be asked for -----------------------------------------------------------------------------------


def _to_ask_for(pair: _Pair, pending: Transfer | None) -> Iterator[Action | Refusal]:
    """Answer the open request, or ask for what may move now; what may not says why."""
    ready: list[Portion] = []
    for item in pair.items:
        portion = _portion(pair, item)
        if isinstance(portion, Portion):
            ready.append(portion)
        elif portion is not None:
            yield portion
        yield from _left_behind(pair, item)
    if pending is not None:
        yield from _answer(pair, pending, ready)
    elif ready:
        yield _ask(pair, ready)


def _portion(pair: _Pair, item: PlanItem) -> Portion | Action | Refusal | None:
    """What an item gives to a transfer now, None when it has nothing left to give, or why it must wait."""
    if _has_moved(pair, item):
        return None  # only its verification is left
    if item.route is Route.TRANSFER and item.subscription_id in transfer_refusals.not_transferable(pair.case.settled):
        return _refused_for_good(item)
    source = pair.observation.source.get(item.subscription_id)
    refusal = guards.plan_is_fresh(item, source)
    if refusal is not None:
        return refusal
    if item.route is Route.AZURE_TRANSFER:
        return azure_transfer.portion(item, pair.case, pair.observation, pair.now, pair.policy)
    if transfer_refusals.waiting(pair.case, item, pair.now, pair.policy):
        return None
    return Portion(item=item, entries=(item.subscription_id,), product_types=(TransferProduct.LICENSE,))


def _has_moved(pair: _Pair, item: PlanItem) -> bool:
    """Whether Microsoft says so, or we noted it."""
    is_noted = any(one.source_id == item.subscription_id for one in pair.case.counterparts)
    return is_noted or item.subscription_id in done_lines(pair.transfers.values())


def _left_behind(pair: _Pair, item: PlanItem) -> tuple[Refusal, ...]:
    """Why something that Microsoft refused stays at the source while the rest moves (R-167, R-169)."""
    if _has_moved(pair, item):
        return ()
    if item.route is Route.AZURE_TRANSFER:
        return azure_transfer.left_behind(item, pair.case, pair.observation, pair.now, pair.policy)
    kept = transfer_refusals.waiting(pair.case, item, pair.now, pair.policy)
    return transfer_refusals.left_behind(pair.case, item, kept, pair.now, pair.policy)


def _refused_for_good(item: PlanItem) -> Refusal:
    return Refusal(
        code=RefusalCode.PLAN_STALE,
        phase=Phase.STALE,
        rule="R-151",
        detail=f"Microsoft does not transfer {item.offer_name} ({item.subscription_id}); the others go on without it.",
        owner=Owner.OPERATIONS,
        next_action="Run: tenantfold plan, approve the new plan, then tenantfold run. It is planned to run out and be "
        "bought again.",
    )


def _answer(pair: _Pair, pending: Transfer, ready: list[Portion]) -> Iterator[Action | Refusal]:
    """Give, as the source, what an open request asks for; one that asks for the wrong things is taken back."""
    chosen = [replace(one, entries=one.entries[:TRANSFER_ITEMS]) for one in ready if _covers(pending, one)]
    if not ready:
        yield _waits_for_us(pair, pending)
        return
    if not chosen:
        subjects = tuple(sorted(one.item.subscription_id for one in ready))
        yield waiting_after_failure(
            pair.case, OpKind.CANCEL_TRANSFER, subjects, pair.now, pair.policy
        ) or CancelTransfer(pending, subjects)
        return
    portions = _at_most(chosen, TRANSFER_ITEMS)
    given = [(one.item.subscription_id, entry) for one in portions for entry in one.entries]
    yield from _give(pair, pending, given)


def _give(
    pair: _Pair, pending: Transfer, given: list[tuple[SubscriptionId, SubscriptionId]]
) -> Iterator[Action | Refusal]:
    """All of it; half by half, down to single things, after that was refused: what may not move must not keep the rest.

    ``given`` are items with the things submitted for them. What the refusal named is not among them any more.
    """
    kind, subjects = OpKind.SUBMIT_TRANSFER, tuple(dict.fromkeys(item_id for item_id, _ in given))
    entries = tuple(entry for _, entry in given)
    case = replace(pair.case, settled=transfer_refusals.unexplained(pair.case.settled))
    failed = failures(case, kind, subjects, entries)
    if len(given) > 1 and failed and transfer_refusals.is_about_things(failed[-1][1]):
        half = (len(given) + 1) // 2
        yield from _give(pair, pending, given[:half])
        yield from _give(pair, pending, given[half:])
        return
    waiting = waiting_after_failure(case, kind, subjects, pair.now, pair.policy, entries)
    yield waiting or SubmitTransfer(pending, subjects, entries)


def _covers(pending: Transfer, portion: Portion) -> bool:
    if pending.partner_on_record.strip() != portion.item.partner_id_on_record:
        return False
    return not pending.product_types or set(portion.product_types) <= set(pending.product_types)


def _at_most(portions: list[Portion], limit: int) -> list[Portion]:
    """As many entries as one request holds (R-150); the rest goes with the next one."""
    taken: list[Portion] = []
    for one in portions:
        left = limit - sum(len(x.entries) for x in taken)
        if left <= 0:
            break
        taken.append(replace(one, entries=one.entries[:left]))
    return taken


def _waits_for_us(pair: _Pair, pending: Transfer) -> Refusal:
    until = f" until {pending.expires_at:%Y-%m-%d}" if pending.expires_at else ""
    return Refusal(
        code=RefusalCode.SETTLING,
        phase=Phase.TRANSFERRING,
        rule="R-147",
        detail=f"The transfer {pending.id} waits for an answer of the source{until}; nothing of the plan may go with "
        "it now.",
        owner=Owner.OPERATIONS,
        next_action="Remove what is named beside it; the request expires by itself.",
        due_at=pair.now + transfer_refusals.LOOKS_AGAIN,
    )


def _ask(pair: _Pair, ready: list[Portion]) -> Action | Refusal:
    """One request for everything ready that has the same reseller on record (R-164)."""
    partner_id = ready[0].item.partner_id_on_record
    alike = [one for one in ready if one.item.partner_id_on_record == partner_id]
    subjects = tuple(one.item.subscription_id for one in alike)
    waiting = _after_last(pair, alike) or waiting_after_failure(
        pair.case, OpKind.REQUEST_TRANSFER, subjects, pair.now, pair.policy
    )
    if waiting is not None:
        return waiting
    if not pair.case.customer.email:
        return Refusal(
            code=RefusalCode.PLAN_STALE,
            phase=Phase.STALE,
            rule="R-153",
            detail="A transfer request names the customer's e-mail address, and the source shows none.",
            owner=Owner.OPERATIONS,
            next_action="Fill it in at the source, then: tenantfold inventory, tenantfold plan, approve, run.",
        )
    wish = TransferWish(
        source_id=pair.source_id,
        source_name="",
        customer_email=pair.case.customer.email,
        customer_name=pair.case.customer.company_name,
        product_types=tuple(sorted({kind for one in alike for kind in one.product_types})),
        partner_on_record=partner_id,
    )
    return RequestTransfer(subjects, wish)


def _after_last(pair: _Pair, ready: list[Portion]) -> Refusal | None:
    """Why nothing is asked for again yet: the last request for the same was refused, or did not move it."""
    entries = frozenset(entry for one in ready for entry in one.entries)
    ended = [one for one in attempts_at(pair.transfers.values(), entries) if one.id not in _taken_back(pair.case)]
    if not ended:
        return None
    last = max(ended, key=lambda one: one.changed_at or one.created_at or pair.now)
    ended_at = last.changed_at or last.created_at or pair.now
    refused = last.state in {TransferState.REJECTED, TransferState.CANCELED}
    again_at = ended_at + (REJECTED_PAUSE if refused else min(pause_after(len(ended), pair.policy), LONGEST_PAUSE))
    if pair.now >= again_at:
        return None
    why = "; ".join(sorted({line.error for line in last.lines if line.error})) or f"it ended as '{last.status}'"
    return Refusal(
        code=RefusalCode.MICROSOFT_REFUSED,
        phase=Phase.TRANSFERRING,
        rule="R-146" if refused else "R-166",
        detail=f"The transfer {last.id} did not move everything: {why}.",
        owner=Owner.OPERATIONS if refused or len(ended) > 1 else Owner.TENANTFOLD,
        next_action="Find out who said no at the source; it is asked for again by itself."
        if refused
        else "Keep tenantfold run going, or run it again: it asks again.",
        due_at=again_at,
    )


def _taken_back(case: Case) -> frozenset[str]:
    """The requests we canceled ourselves because they could not hold what the plan wants."""
    return frozenset(
        intent.reference
        for intent, outcome in case.settled
        if intent.kind is OpKind.CANCEL_TRANSFER and outcome.kind is not OutcomeKind.FAILED
    )


MACHINE = Machine(
    routes=ROUTES,
    kinds=transfer_settling.KINDS,
    forward=forward,
    settle=transfer_settling.settle,
    parts=frozenset({Part.TRANSFERS, Part.AZURE}),
)

"""Use case 12b: calls without known outcome, shown with their evidence and settled by a person (invariant 6).

Looking changes nothing. A decision is asked its guards on a fresh read, then kept as an outcome with an event that says
who and why, under the guard of the row's version. The caller holds the lock of the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from tenantfold.domain.actions import Observe
from tenantfold.domain.guards import Refusal
from tenantfold.domain.journal import Intent, Outcome
from tenantfold.domain.lateness import is_open
from tenantfold.domain.model import CustomerId, Subscription, SubscriptionId, TenantId
from tenantfold.domain.observation import Observation
from tenantfold.domain.pairing import counterparts_of
from tenantfold.domain.records import Case, Step
from tenantfold.domain.states import Owner, Phase, Progress
from tenantfold.domain.stranded_decisions import Candidate, Decision, MaySend, Outlook, candidates, decide, outlook
from tenantfold.errors import InputError, PartnerCenterError
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.ports import Inventory, Ledger
from tenantfold.flow.reading import Reader


class StrandedLedger(Ledger, Inventory, Protocol):
    """What settling a stranded call needs of the ledger."""

    async def open_intents(self, customer_id: CustomerId | None = None) -> tuple[Intent, ...]:
        """All intents without outcome, of one customer or of all, by customer, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One call without known outcome and all that is known about it.

    ``seen_at`` is when the target was read; ``unreadable`` says why it could not be read now: then the candidates are
    those of the newest snapshot. Only the oldest call of a customer can be settled; the others wait for it.
    """

    customer_id: CustomerId
    company_name: str
    intent: Intent
    request_id: str
    candidates: tuple[Candidate, ...]
    outlook: Outlook
    seen_at: datetime | None
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a decision led to. ``outcome`` is None when the call was sent again and its answer was lost once more."""

    intent: Intent
    outcome: Outcome | None
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class StrandedTask:
    """The tools: those of a cutover, and a ledger that knows every open intent."""

    cutover: Cutover
    ledger: StrandedLedger


# --- looking ---------------------------------------------------------------------------------------------------------


async def show(task: StrandedTask, customer_id: CustomerId | None = None) -> tuple[Evidence, ...]:
    """The evidence of all stranded calls, or of one customer's. Raises StoreError."""
    intents = await task.ledger.open_intents(customer_id)
    by_customer = [(key, tuple(group)) for key, group in groupby(intents, key=lambda one: one.customer_id)]
    found = await asyncio.gather(*(_evidence(task, key, group) for key, group in by_customer))
    return tuple(one for of_customer in found for one in of_customer)


async def _evidence(task: StrandedTask, customer_id: CustomerId, intents: tuple[Intent, ...]) -> tuple[Evidence, ...]:
    case = await task.ledger.case(customer_id)
    links = tuple((await task.ledger.counterparts(customer_id)).values())
    tenants = case.customer.source_tenant_ids if case else tuple(one.tenant_id for one in intents)
    observation, unreadable = await _look(task, customer_id, tenants, case)
    return tuple(
        Evidence(
            customer_id=customer_id,
            company_name=case.customer.company_name if case else customer_id,
            intent=intent,
            request_id=str(intent.request_id),
            candidates=candidates(intent, observation, links) if observation else (),
            outlook=_outlook(task, case, intent, observation, unreadable),
            seen_at=observation.at if observation else None,
            unreadable=unreadable,
        )
        for intent in intents
    )


def _outlook(
    task: StrandedTask, case: Case | None, intent: Intent, observation: Observation | None, unreadable: str
) -> Outlook:
    if case is None:
        return Outlook(
            needs_person=True,
            sentence="The customer is not in the newest plan, so no run looks at it: plan again with it on the list.",
        )
    if observation is None or unreadable:
        return Outlook(needs_person=False, sentence="Nothing can be told until the target can be read again.")
    if case.open_intents[0].key != intent.key:
        return Outlook(needs_person=False, sentence="It waits until the older call of this customer is settled.")
    return outlook(case, observation, task.cutover.clock.now(), task.cutover.policy)


async def _look(
    task: StrandedTask, customer_id: CustomerId, tenants: tuple[TenantId, ...], case: Case | None
) -> tuple[Observation | None, str]:
    """A fresh read; when that fails the newest snapshots, with the reason why it failed."""
    try:
        return await _read(task, customer_id, tenants, case), ""
    except PartnerCenterError as error:
        return await _last_known(task, customer_id, tenants), error.message


async def _read(
    task: StrandedTask, customer_id: CustomerId, tenants: tuple[TenantId, ...], case: Case | None
) -> Observation:
    """Both sides now, with what the open calls of other routes are settled by. Raises PartnerCenterError.

    One answer comes first, so that the clock follows the server's; then the time is taken before the reads.
    """
    target_id = task.cutover.target_id
    await task.cutover.tenants[target_id].subscriptions(customer_id)
    now = task.cutover.clock.now()
    if case is not None and any(not one.kind.is_cutover for one in case.open_intents):
        tools = task.cutover
        reader = Reader(tenants=tools.tenants, target_id=target_id, case=case, policy=tools.policy, now=now)
        return (await reader.read(Observe(), None)).observation
    wanted = (*(one for one in dict.fromkeys(tenants) if one != target_id), target_id)
    reads = await asyncio.gather(*(task.cutover.tenants[one].subscriptions(customer_id) for one in wanted))
    return _observation(now, (read.value for found in reads for read in found), target_id)


async def _last_known(task: StrandedTask, customer_id: CustomerId, tenants: tuple[TenantId, ...]) -> Observation | None:
    """What the newest complete snapshots hold; None without any."""
    found = [await task.ledger.newest_snapshot(one) for one in dict.fromkeys((*tenants, task.cutover.target_id))]
    snapshots = [one for one in found if one is not None and one.completed_at is not None]
    entry = await task.ledger.book_entry(snapshots, customer_id) if snapshots else None
    read_at = min((one.completed_at for one in snapshots if one.completed_at is not None), default=None)
    if entry is None or read_at is None:
        return None
    return _observation(read_at, entry.subscriptions, task.cutover.target_id)


def _observation(at: datetime, held: Iterable[Subscription], target_id: TenantId) -> Observation:
    sides: dict[bool, dict[SubscriptionId, Subscription]] = {True: {}, False: {}}
    for one in held:
        sides[one.tenant_id == target_id][one.id] = one
    return Observation(at=at, source=sides[False], target=sides[True])


# --- deciding --------------------------------------------------------------------------------------------------------


async def settle(task: StrandedTask, customer_id: CustomerId, decision: Decision) -> Settled | Refusal:
    """Carry out a person's decision about the oldest open call of a customer, or say why not (nothing was changed).

    Raises InputError when nothing is open, PartnerCenterError when the two sides cannot be read now, ConflictError
    when the customer moved meanwhile, StoreError.
    """
    case = await task.ledger.case(customer_id)
    if case is None or not case.open_intents:
        raise InputError(
            f"Customer {customer_id} has no call without outcome in the newest plan.",
            next_step="See who has: tenantfold stranded",
        )
    intent = case.open_intents[0]
    observation = await _read(task, customer_id, case.customer.source_tenant_ids, case)
    answer = decide(intent, decision, case, observation, task.cutover.clock.now(), task.cutover.policy)
    match answer:
        case Refusal():
            return answer
        case MaySend():
            return await _send_again(task, case, intent, decision)
        case Outcome():
            return Settled(intent=intent, outcome=answer, progress=await _keep(task, case, intent, answer, decision))


async def _keep(task: StrandedTask, case: Case, intent: Intent, outcome: Outcome, decision: Decision) -> Progress:
    """Outcome, counterparts, progress and event in one commit, as the run itself would write them (T3)."""
    now = task.cutover.clock.now()
    taken = {one.target_id for one in case.counterparts if one.target_id is not None}
    counterparts = counterparts_of(intent, outcome, taken, intent.at.date())
    deadline = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), tzinfo=now.tzinfo)
    # what moved by another route is no cutover: it sets no deadline and puts nobody back between two bills
    opened = any(map(is_open, counterparts))
    begun = opened or any(one.origin.is_cutover for one in case.counterparts)
    progress = replace(
        case.progress,
        phase=Phase.CUTTING_OVER if begun else Phase.ACCEPTED,
        code="",
        detail="",
        owner=Owner.TENANTFOLD,
        next_action="",
        due_at=now,
        deadline_at=case.progress.deadline_at or (deadline if opened else None),
    )
    step = Step(
        progress=progress,
        outcome=outcome,
        counterparts=counterparts,
        event=f"stranded.{decision.kind.value}",
        facts=_facts(intent, decision),
    )
    return await task.ledger.record_step(step, now)


async def _send_again(task: StrandedTask, case: Case, intent: Intent, decision: Decision) -> Settled:
    """Note who asked, then let the engine look once more and send: its guards are asked on its own read."""
    now = task.cutover.clock.now()
    event = Step(progress=case.progress, event=f"stranded.{decision.kind.value}", facts=_facts(intent, decision))
    await task.ledger.record_step(event, now)
    progress = await task.cutover.drive(case.customer.customer_id, _LookAndAct())
    after = await task.ledger.case(case.customer.customer_id)
    sent = [pair for pair in after.settled if pair[0].request_id == intent.request_id] if after else []
    in_doubt = after is not None and any(one.request_id == intent.request_id for one in after.open_intents)
    outcome = sent[-1][1] if sent and not in_doubt else None  # of the last time it was sent
    return Settled(intent=intent, outcome=outcome, progress=progress)


def _facts(intent: Intent, decision: Decision) -> Mapping[str, str]:
    return {
        "intent": intent.key,
        "by": decision.by,
        "reason": decision.reason,
        "targets": " ".join(decision.target_ids),
    }


class _LookAndAct:
    """Stops a drive after its read and the one act that follows it."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self) -> bool:
        self._asked += 1
        return self._asked > 2  # noqa: PLR2004  # before the read, before the act, and then no more

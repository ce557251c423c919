"""Use case: what persons have to do, and keeping what they confirm (flow room). Nothing is called at Microsoft here.

A confirmation is kept with who, when and what was shown; a file is digested, never kept. Afterwards its customer is due
at once: the machines of the routes compare what was confirmed with what they read.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case, Event
from tenantfold.domain.tasks import Task, may_be_asked, open_tasks, tasks_of, why_not_now
from tenantfold.errors import InputError
from tenantfold.flow.approval import approved_plan
from tenantfold.flow.ports import Clock, EvidenceLedger

TASK_DONE = "task.done"
"""The event a confirmation leaves behind."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDo:
    """One customer with its open tasks."""

    customer_id: CustomerId
    company_name: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a person says: which task, for which subscription (None: every one it is open for), and what shows it."""

    task: TaskKind
    by: str
    subscription_id: SubscriptionId | None = None
    note: str = ""
    file: Path | None = None
    target_id: SubscriptionId | None = None


async def to_do(ledger: EvidenceLedger, clock: Clock, policy: Policy) -> AsyncIterator[ToDo]:
    """The customers of the newest approved plan with something to do, in id order.

    Raises PlanMissingError, PlanNotApprovedError. Customers whose routes ask nobody cost no look at their case.
    """
    plan = await approved_plan(ledger)
    today = clock.now().date()
    async for customer in ledger.plan_customers(plan.id):
        if not any(map(may_be_asked, customer.items)):
            continue
        case = await ledger.case(customer.customer_id)
        found = open_tasks(case, policy, today) if case is not None else ()
        if found:
            yield ToDo(customer_id=customer.customer_id, company_name=customer.company_name, tasks=found)


async def confirm(
    ledger: EvidenceLedger, clock: Clock, policy: Policy, customer_id: CustomerId, said: Confirmation
) -> tuple[Evidence, ...]:
    """Keep what a person confirmed about a customer, for one subscription or for every one it is open for.

    Raises InputError with a sentence when it cannot be so: nothing is kept then. PlanMissingError,
    PlanNotApprovedError, StoreError.
    """
    await approved_plan(ledger)
    case = await ledger.case(customer_id)
    if case is None:
        raise InputError(f"Customer {customer_id} is not in the newest plan.", next_step="Run: tenantfold plan")
    _check_proof(said)
    items = _items(case, policy, said, clock)
    await _check_target(ledger, case, items, said)
    sha256 = _digest(said.file) if said.file is not None else ""
    now = clock.now()
    kept = tuple(
        Evidence(
            customer_id=customer_id,
            subscription_id=item.subscription_id,
            task=said.task,
            note=said.note.strip(),
            by=said.by.strip(),
            at=now,
            file=said.file.name if said.file is not None else "",
            sha256=sha256,
            target_id=said.target_id,
        )
        for item in items
    )
    for one in kept:
        event = Event(at=now, customer_id=customer_id, name=TASK_DONE, facts=_facts(one))
        await ledger.record_evidence(one, event, now)
    return kept


def task_named(text: str) -> TaskKind:
    """The task of this name. Raises InputError."""
    wanted = text.strip().lower().replace("-", "_")
    try:
        return TaskKind(wanted)
    except ValueError:
        names = ", ".join(kind.value for kind in TaskKind)
        raise InputError(f"There is no task '{text}'.", next_step=f"Tasks are: {names}.") from None


def _facts(evidence: Evidence) -> dict[str, str]:
    facts = {
        "task": evidence.task.value,
        "subscription": evidence.subscription_id,
        "by": evidence.by,
        "note": evidence.note,
        "file": evidence.file,
        "sha256": evidence.sha256,
        "target": evidence.target_id or "",
    }
    return {name: text for name, text in facts.items() if text}


def _check_proof(said: Confirmation) -> None:
    """Somebody answers for it, and something shows what cannot be read."""
    if not said.by.strip():
        raise InputError("A confirmation needs a name: who answers for it.", next_step='Add --by "your name".')
    if said.target_id is not None and said.task is not TaskKind.BOUGHT_AT_TARGET:
        raise InputError(f"--target-id belongs to {TaskKind.BOUGHT_AT_TARGET.value}, not to {said.task.value}.")
    if said.task is TaskKind.HANDED_OFF and not said.note.strip():
        raise InputError(
            "A hand-off is found again by the number of Microsoft's service request.",
            next_step="Add --note with the number.",
        )
    shown = said.note.strip() or said.file is not None or said.target_id is not None
    if said.task is TaskKind.BOUGHT_AT_TARGET and not shown:
        raise InputError(
            "A purchase is read at the target by its id; without one, something must show it.",
            next_step="Add --target-id, or --note or --file where the API shows no subscription.",
        )


def _items(case: Case, policy: Policy, said: Confirmation, clock: Clock) -> tuple[PlanItem, ...]:
    """The subscriptions the confirmation is for. Raises InputError."""
    if said.subscription_id is not None:
        return (_item(case, said.subscription_id, said.task),)
    today = clock.now().date()
    items = [
        item
        for item in case.customer.items
        if any(task.kind is said.task for task in tasks_of(case, item, policy, today))
    ]
    if not items:
        raise InputError(_nothing_open(case, said.task), next_step="See what is open: tenantfold tasks")
    if said.task is TaskKind.BOUGHT_AT_TARGET and len(items) > 1:
        ids = ", ".join(item.subscription_id for item in items)
        raise InputError(
            f"{len(items)} subscriptions wait for {said.task.value}: {ids}.", next_step="Name one with --subscription."
        )
    return tuple(items)


def _item(case: Case, subscription_id: SubscriptionId, task: TaskKind) -> PlanItem:
    found = next((one for one in case.customer.items if one.subscription_id == subscription_id), None)
    if found is None:
        raise InputError(
            f"{case.customer.company_name} has no subscription {subscription_id} in the newest plan.",
            next_step=f"See them: tenantfold show customer {case.customer.customer_id}",
        )
    why_not = why_not_now(case, found, task)
    if why_not:
        raise InputError(why_not, next_step="See what is open: tenantfold tasks")
    return found


def _nothing_open(case: Case, task: TaskKind) -> str:
    """Why nobody waits for this task: the reason of the first item that has it, or that none does."""
    mine = [item for item in case.customer.items if task in dict(may_be_asked(item))]
    why_not = next((words for item in mine if (words := why_not_now(case, item, task))), "")
    return why_not or f"Nothing of {case.customer.company_name} waits for {task.value}."


async def _check_target(ledger: EvidenceLedger, case: Case, items: Sequence[PlanItem], said: Confirmation) -> None:
    """A successor is a subscription of its own that stands for nothing else."""
    if said.target_id is None:
        return
    if said.target_id in {one.subscription_id for one in case.customer.items}:
        raise InputError(f"{said.target_id} is a subscription at the source; name the one that was bought.")
    mine = {item.subscription_id for item in items}
    for known in (await ledger.counterparts()).values():
        if known.target_id == said.target_id and known.source_id not in mine:
            raise InputError(f"{said.target_id} stands for {known.source_id} already.")


def _digest(file: Path) -> str:
    """The SHA-256 of a file as hex digits. Raises InputError when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror or error}.", next_step="Name a file that is there.", path=str(file)
        ) from error
    return digest.hexdigest()

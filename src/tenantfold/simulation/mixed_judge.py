"""The judge of mixed scenarios (simulation room): beside what ``judge`` asks, the way of each item and its reasons.

Every subscription went by a way the rules allow for its kind, nothing was suspended that is billed on, Azure always had
one payer, no request was left open, and whatever did not move has reasons with rule numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from partner_center_emulator.entitlements.models import owned
from partner_center_emulator.ledger.shape import CustomerVerdict, Move
from partner_center_emulator.seed.portfolios import Kind, Portfolio
from partner_center_emulator.world import StateChange
from tenantfold.domain import routes
from tenantfold.domain.explanation import next_step
from tenantfold.domain.findings import FindingCode
from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import CustomerId, ProductKind
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.products import is_modern_offer
from tenantfold.domain.records import Case
from tenantfold.domain.routes import Market
from tenantfold.domain.states import Owner, Phase
from tenantfold.simulation import judge as plain
from tenantfold.simulation.gdap_judge import delegated
from tenantfold.simulation.hearing import Hearing, Verdict, hear, intents_of, name_in, script_in, verdict_of
from tenantfold.simulation.judge import conduct
from tenantfold.simulation.mixed import MixedSimulation
from tenantfold.simulation.mixed_cast import GOVERNMENT_WAYS, WAYS
from tenantfold.simulation.steering_judge import is_left_held, stays_held, steered

_BOUGHT_AGAIN = frozenset({"rebought", "by_hand"})
_WRITES = ("order.", "subscription.", "entitlement.", "benefit.", "transfer.")
_SLACK = timedelta(hours=8)
_SOFTWARE_RULE = "R-151"
_UNDER_WAY = frozenset({"Pending", "InProgress"})


async def judge(simulation: MixedSimulation) -> Verdict:
    """Judge a mixed simulation that has ended."""
    hearing = await hear(simulation)
    _only_mine(hearing)
    plain.harm(hearing)
    _more_harm(hearing)
    _overlaps(hearing)
    _unapproved(hearing)
    for line in hearing.truth.customers or ():
        _ways(hearing, line)
        _held_up(hearing, line)
        case = hearing.cases.get(CustomerId(line.customer_id))
        if case is not None:
            _explained(hearing, line, case)
            _left_open(hearing, case)
            _software(hearing, case)
        elif line.state != "not_movable":
            hearing.say("unexplained", f"{name_in(hearing, line.customer_id)} is in no plan.")
    conduct(hearing)
    steered(hearing)
    if simulation.gdap is not None:
        await delegated(hearing, simulation.gdap)
    if simulation.post is not None:
        for sentence in simulation.post.window.broken:
            hearing.say("broken", sentence)
        for sentence in simulation.post.changed:
            hearing.say("woken", sentence)
    return verdict_of(hearing)


def _only_mine(hearing: Hearing) -> None:
    """Leave the customers of another consolidation in the same world out."""
    names = {hearing.simulation.casting.name_of(one) for one in hearing.simulation.scenario.customers}
    mine = {one.id for one in hearing.simulation.stage.world.customers.values() if one.company_name in names}
    truth = hearing.truth
    truth.customers = [one for one in truth.customers or () if one.customer_id in mine]
    truth.twins = [one for one in truth.twins if one.customer_id in mine]
    truth.gaps = [one for one in truth.gaps if one.customer_id in mine]
    truth.overlaps = [one for one in truth.overlaps if one.customer_id in mine]
    truth.parity.unequal = [one for one in truth.parity.unequal if one.customer_id in mine]
    truth.billed_suspensions = [one for one in truth.billed_suspensions if one.customer_id in mine]
    truth.azure_faults = [one for one in truth.azure_faults if one.customer_id in mine]
    truth.totals.moved = sum(one.state == "moved" for one in truth.customers)


def _more_harm(hearing: Hearing) -> None:
    """Suspensions that stop no bill (R-135), and Azure that nobody or two pay for."""
    for row in hearing.truth.billed_suspensions:
        hearing.say("suspended", f"{name_in(hearing, row.customer_id)}: {row.offer_name} is billed on (R-135).")
    for fault in hearing.truth.azure_faults:
        who = name_in(hearing, fault.customer_id)
        hearing.say("azure", f"{who}: {fault.subject_id} is {fault.kind} from {fault.from_:%Y-%m-%d %H:%M}.")


def _overlaps(hearing: Hearing) -> None:
    """Two bills beyond the shared day: excused where something went wrong, or a purchase had to come before the end."""
    bought = {
        move.subject_id for line in hearing.truth.customers or () for move in line.moves if move.way in _BOUGHT_AGAIN
    }
    by_hand = {one for one, label in hearing.simulation.stage.world.labels.items() if label in {"SAAS", "SOFTWARE"}}
    hearing.truth.overlaps = [one for one in hearing.truth.overlaps if one.subscription_id not in bought | by_hand]
    plain.overlaps(hearing)


# --- approval --------------------------------------------------------------------------------------------------------


def _unapproved(hearing: Hearing) -> None:
    """Every write of ours belongs to an intent whose items are in a plan approved before it."""
    intents = {str(intent.request_id): intent for case in hearing.cases.values() for intent in intents_of(case)}
    mine = {one.customer_id for one in hearing.truth.customers or ()}
    for change in hearing.simulation.stage.world.changes:
        if not change.request_id or not change.what.startswith(_WRITES) or change.customer_id not in mine:
            continue
        intent = intents.get(change.request_id)
        reason = "nobody intended it" if intent is None else _not_approved(hearing, change, intent)
        if reason:
            who = name_in(hearing, change.customer_id)
            hearing.say("unapproved", f"{who}: {change.what} at {change.at:%Y-%m-%d %H:%M:%S}: {reason}.")


def _not_approved(hearing: Hearing, change: StateChange, intent: Intent) -> str:
    if intent.kind is OpKind.CANCEL_AZURE_DEFAULT:
        return _not_default(hearing, intent)
    approved_by_then = [plan for plan, at in hearing.simulation.record.approved.items() if at <= change.at]
    for plan_id in approved_by_then:
        items = {one.subscription_id: one for one in hearing.items[plan_id, intent.customer_id] if one.is_carried_out}
        if set(intent.subjects) <= set(items) and _as_planned(intent, items.values()):
            return _strangers(hearing, intent)
    return f"no plan approved by then has {intent.kind.value} of {', '.join(sorted(intent.subjects))} like this"


def _not_default(hearing: Hearing, intent: Intent) -> str:
    """Only an Azure subscription that came with a plan of ours may be canceled (R-174)."""
    item = hearing.simulation.stage.world.azure.entitlements.get(intent.subjects[0])
    return "" if item is not None and item.is_default else "it was no default subscription"


def _strangers(hearing: Hearing, intent: Intent) -> str:
    """What was put into a transfer must be a planned item, or be under a planned Azure plan."""
    azure = hearing.simulation.stage.world.azure
    theirs = azure.entitlements.keys() | azure.benefits.keys()
    strange = [one for one in intent.entries if one not in intent.subjects and one not in theirs]
    return f"{', '.join(strange)} was not planned" if strange else ""


def _as_planned(intent: Intent, items: Iterable[PlanItem]) -> bool:
    """Whether the lines order what the plan says; of new commerce, product and SKU count."""
    planned = {one.subscription_id: (one.target_offer_id or one.offer_id, one.license_count) for one in items}
    return all(
        (_stable(planned[line.source_subscription_id][0]), planned[line.source_subscription_id][1])
        == (_stable(line.offer_id), line.license_count)
        for line in intent.lines
    )


def _stable(offer_id: str) -> str:
    return ":".join(offer_id.split(":")[:2]) if is_modern_offer(offer_id) else offer_id


# --- ways ------------------------------------------------------------------------------------------------------------


def _ways(hearing: Hearing, line: CustomerVerdict) -> None:
    """Each thing that moved went by a way the rules know for it (rules section E)."""
    is_government = hearing.simulation.stage.options.cloud == "us_government"
    for move in line.moves:
        kind = _kind(hearing, move)
        if move.way not in WAYS[kind] | (GOVERNMENT_WAYS.get(kind, frozenset()) if is_government else frozenset()):
            who = name_in(hearing, line.customer_id)
            hearing.say("way", f"{who}: {kind.value} {move.subject_id} was {move.way.replace('_', ' ')}.")


def _held_up(hearing: Hearing, line: CustomerVerdict) -> None:
    """What Microsoft refuses for one Azure subscription keeps no license from moving (R-167, R-169)."""
    world = hearing.simulation.stage.world
    number = script_in(hearing, line.customer_id).number
    is_touched = number in hearing.simulation.record.portal or stays_held(hearing, number)
    if world.labels.get(line.customer_id) != Portfolio.MARKETPLACE.name or is_touched:
        return
    moved = {move.subject_id for move in line.moves}
    target = hearing.simulation.stage.settings.target.tenant_id
    for one in world.subscriptions.values():
        is_license = world.labels.get(one.id) == Kind.LICENSE.name and one.customer_id == line.customer_id
        if is_license and one.tenant_id != target and one.id not in moved:
            hearing.say("held up", f"{name_in(hearing, line.customer_id)}: {one.offer_name} did not move beside Azure.")


def _kind(hearing: Hearing, move: Move) -> Kind:
    """What a thing is; an Azure subscription or reservation without a label of its own is under a plan."""
    label = hearing.simulation.stage.world.labels.get(move.subject_id)
    return Kind[label] if label is not None else Kind.AZURE_PLAN


# --- moved or explained ----------------------------------------------------------------------------------------------


def _explained(hearing: Hearing, line: CustomerVerdict, case: Case) -> None:
    """What the ledger calls done is done, and everything else has reasons, rules and somebody who acts."""
    name, progress = name_in(hearing, line.customer_id), case.progress
    moved = {move.subject_id for move in line.moves}
    done = {one.source_id for one in case.counterparts if one.is_done}
    is_touched = script_in(hearing, line.customer_id).number in hearing.simulation.record.portal
    where = f"{progress.phase.value} ({progress.code or 'no code'}: {progress.detail or 'no detail'})"
    for item in case.customer.items:
        if item.subscription_id in done:
            if not is_touched and not _has_moved(hearing, item, moved):
                hearing.say("untrue", f"{name}: {item.offer_name} is said to be done ({item.route.value}) and is not.")
        elif not _rules(item):
            hearing.say("unexplained", f"{name}: {item.offer_name} stays without a rule.")
        elif progress.phase is Phase.MOVED and item.is_carried_out:
            hearing.say("untrue", f"{name} is said to have moved, but {item.offer_name} is not done.")
    _somebody_acts(hearing, case, name, where)


def _has_moved(hearing: Hearing, item: PlanItem, moved: set[str]) -> bool:
    if item.kind is not ProductKind.AZURE_PLAN:
        return item.subscription_id in moved
    azure = hearing.simulation.stage.world.azure
    target = hearing.simulation.stage.settings.target.tenant_id
    left = [
        one
        for one in azure.entitlements.values()
        if one.subscription_id == item.subscription_id and one.status == "active" and one.tenant_id != target
    ]
    return not left


def _rules(item: PlanItem) -> tuple[str, ...]:
    return (*(one.rule for one in item.findings), *routes.choose(routes.facts_of_item(item), Market()).rules)


def _somebody_acts(hearing: Hearing, case: Case, name: str, where: str) -> None:
    progress = case.progress
    if progress.phase.is_final or is_left_held(hearing, case):
        return
    owner, next_action = next_step(progress)
    now = hearing.simulation.stage.now()
    waits = progress.due_at is not None and progress.due_at > now - _SLACK
    if not next_action or owner is Owner.NOBODY:
        hearing.say("unexplained", f"{name} is {where} and nobody has to act.")
    elif owner in {Owner.TENANTFOLD, Owner.MICROSOFT} and not (waits and _may_wait(case)):
        hearing.say("stuck", f"{name} is {where}; only time has to pass, and it has passed.")


def _may_wait(case: Case) -> bool:
    """Whether something of the plan takes longer than a simulation: a term that ends later."""
    return case.progress.phase in {Phase.RUNNING_OUT, Phase.BY_HAND}


def _software(hearing: Hearing, case: Case) -> None:
    """Perpetual software has no subscription: the plan names every SKU of it all the same, or says that it must ask."""
    stage, customer = hearing.simulation.stage, case.customer
    said = [one for one in customer.all_findings() if one.rule == _SOFTWARE_RULE and one.owner is not Owner.NOBODY]
    if any(one.code is FindingCode.NOT_VERIFIED for one in said):
        return
    for tenant_id in customer.source_tenant_ids:
        for one in owned(stage.emulator, tenant_id, customer.customer_id):
            sku_id = f"{one.product_id}:{one.sku_id}"
            if one.kind == "software" and not any(sku_id in finding.detail for finding in said):
                hearing.say("unexplained", f"{customer.company_name}: nobody explains what becomes of {sku_id}.")


def _left_open(hearing: Hearing, case: Case) -> None:
    """A customer that is done has no request under way that nobody follows."""
    if not case.progress.phase.is_final:
        return
    for one in _transfers(hearing, case):
        hearing.say("untrue", f"{case.customer.company_name} is done, and the transfer {one} is still under way.")


def _transfers(hearing: Hearing, case: Case) -> Iterator[str]:
    for one in hearing.simulation.stage.world.transfers.transfers.values():
        if one.customer_id == case.customer.customer_id and one.status in _UNDER_WAY:
            yield one.id

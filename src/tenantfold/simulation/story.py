"""A seed told as a story (simulation room): who took part, what was to go wrong, what happened when, the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from partner_center_emulator.world import StateChange
from tenantfold.domain.records import Event
from tenantfold.simulation import cast, gdap_script, webhook_script
from tenantfold.simulation.deaths import Moment, told
from tenantfold.simulation.hearing import Verdict
from tenantfold.simulation.mixed_scenario import MixedScenario, MixedScript
from tenantfold.simulation.scenario import CustomerScript, FaultScript, Kill, Odd, Scenario
from tenantfold.simulation.stage import SimulatedStore
from tenantfold.simulation.steering_script import sentence
from tenantfold.simulation.world import Simulation

_MOST_EVENTS = 5_000
_TOLD = ("order.", "subscription.", "relationship.", "transfer.", "entitlement.", "benefit.", "support.", "gdap.")

Line = tuple[datetime, str]


def introduction(scenario: Scenario) -> tuple[str, ...]:
    """The scenario in sentences."""
    ahead = scenario.laptop_ahead
    clock = f"The laptop's clock is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}."
    policy = f"No cutover begins after {scenario.stop_starting_at:%H:%M} UTC; a late one is to {scenario.late_case}."
    options = ", ".join(f"{name} {value}" for name, value in {**scenario.options, **scenario.paces}.items() if value)
    return (
        f"Seed {scenario.seed} begins on {scenario.starts_at:%A %Y-%m-%d %H:%M:%S} UTC. {clock} {policy}",
        f"Microsoft works like this: {options}.",
        *(f"{cast.name_of(one)} of {one.source} {_who(one)}." for one in scenario.customers),
        *(_fault(one) for one in scenario.faults),
        *(_kill(one) for one in scenario.kills),
        *_steering(scenario),
        *_beside(scenario),
    )


async def tell(simulation: Simulation, verdict: Verdict) -> tuple[str, ...]:
    """The whole story of a simulation that has ended, one sentence a line."""
    async with SimulatedStore.open(simulation.stage.settings.database_url, inline=True) as store:
        events = await store.events(limit=_MOST_EVENTS)
    lines: list[Line] = [*simulation.record.notes]
    lines += _changes(simulation)
    lines += [(event.at, _event(simulation, event)) for event in events]
    lines.sort(key=lambda line: line[0])  # stable: what happened at one time stays in the order it was noted
    return (
        *introduction(simulation.scenario),
        *(f"{at:%d %H:%M:%S}  {sentence}" for at, sentence in lines),
        *(f"FAULT  {fault}" for fault in verdict.faults),
        closing(verdict),
    )


def closing(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    end = f"{verdict.moved} of {verdict.customers} customers moved, {verdict.kills} kills, {verdict.calls} calls"
    return f"Seed {verdict.seed}: {'clean' if not verdict.faults else f'{len(verdict.faults)} fault(s)'}; {end}."


def _who(script: CustomerScript) -> str:
    odd = "is a plain customer" if script.odd is Odd.PLAIN else script.odd.value
    if not isinstance(script, MixedScript):
        return odd
    mishap = f"; {script.mishap.value}" if script.mishap else ""
    return f"({script.portfolio.value}) {odd}{mishap}"


def _fault(fault: FaultScript) -> str:
    measures = ", ".join(f"{name} {value}" for name, value in fault.members.items() if name not in {"kind", "name"})
    return f"Fault {fault.kind}: {measures}."


def _kill(kill: Kill) -> str:
    what = "journal boundary" if kill.moment is Moment.BOUNDARY else "turn of the loop"
    return (
        f"A process that does '{kill.command.value}' is killed at {what} {kill.number}, down {kill.down_seconds:.0f} s."
    )


def _steering(scenario: Scenario) -> Iterator[str]:
    """What somebody is going to order, and what a wave may hold."""
    given = scenario.steering
    if given is None:
        return
    yield f"A wave may hold {given.max_customers or 'any number of'} customers and {given.max_seats or 'any'} licenses."
    for order in given.orders:
        back = "" if order.lasts is None else f", and taken back after {order.lasts:.0f} s"
        yield f"To be ordered: {sentence(order)}, at {order.moment:.0f} {order.when.value}{back}{told(order.death)}."


def _beside(scenario: Scenario) -> Iterator[str]:
    """What happens beside the runs: deliveries, and delegated admin access."""
    if isinstance(scenario, MixedScenario) and scenario.webhooks is not None:
        one = scenario.webhooks
        shares = f"{one.lost:.0%} lost, {one.unanswered:.0%} unanswered, {one.late:.0%} late, {one.doubled:.0%} doubled"
        yield f"Events are delivered: {shares}; the receiver dies of {one.deadly:.0%}."
        yield from map(webhook_script.sentence, one.lies)
    if not isinstance(scenario, MixedScenario) or scenario.gdap is None:
        return
    given = scenario.gdap
    yield f"Delegated admin access for {given.groups} groups; each step of Microsoft takes {given.step_seconds:.0f} s."
    for number, seconds in sorted(given.approves.items()):
        yield f"Customer {number + 1} approves it {seconds:.0f} s after its letter."
    yield from map(gdap_script.sentence, given.commands)


def _changes(simulation: Simulation) -> Iterator[Line]:
    """What really changed, a subscription named by its offer."""
    for change in simulation.stage.world.changes:
        if change.what.startswith(_TOLD):
            yield change.at, f"  truth: {_change(simulation, change)}"


def _change(simulation: Simulation, change: StateChange) -> str:
    world = simulation.stage.world
    customer = world.customers.get(change.customer_id)
    subscription = world.subscriptions.get(change.subject_id)
    tenant = world.partner_tenants.get(change.tenant_id)
    what = f"{subscription.offer_name} ({change.subject_id[:8]})" if subscription else change.subject_id[:8]
    who = "our call" if change.request_id else "not by us"
    after = ", ".join(f"{name} {value}" for name, value in change.after.items())
    where = tenant.key if tenant else change.tenant_id
    return f"{customer.company_name if customer else ''}: {change.what} at {where}: {what}: {after} [{who}]"


def _event(simulation: Simulation, event: Event) -> str:
    customer = simulation.stage.world.customers.get(event.customer_id or "")
    facts = "; ".join(f"{name} {value}" for name, value in event.facts.items() if value)
    return f"  ledger: {customer.company_name if customer else 'all'}: {event.name} {facts}"

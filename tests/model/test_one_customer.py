"""All reachable states of one customer: invariants 1 to 5 in each, and a way out of each (invariant 8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.policy import LateCase, Policy
from tests.model import judge
from tests.model.customer import Customer, Variant
from tests.model.explorer import Graph, busy_loop, explore, lost
from tests.model.state import LONG, State
from tests.model.variants import SHAPES

WITHDRAW = Policy(late_case=LateCase.WITHDRAW)


def explored(variant: Variant) -> tuple[Customer, Graph[State]]:
    """The customer of a variant and its whole graph."""
    customer = Customer(variant)
    graph = explore(
        variant.start(), customer.steps, lambda state: judge.rest(state, customer.case(state), customer.judged_by)
    )
    return customer, graph


def holds_everywhere(variant: Variant) -> None:
    """Nothing is wrong anywhere; every state has a way to an end; only time, luck or a new drive closes a circle."""
    customer, graph = explored(variant)
    steps = sum(len(edges) for edges in graph.edges)
    print(f"{variant.name}: {len(graph.states)} states, {steps} steps")  # noqa: T201  # the figure is the evidence
    assert not graph.story, graph.told()
    stuck = next(lost(graph, customer.is_end), None)
    assert stuck is None, "\n".join(graph.way_to(stuck or 0))
    loop = busy_loop(graph)
    assert loop is None, "\n".join(graph.way_to(loop or 0))
    assert any(state.moved for state in graph.states)


def variant(shape: str, **fields: object) -> Variant:
    """A variant of this shape."""
    return replace(Variant(name=shape, sources=SHAPES[shape]), **fields)  # type: ignore[arg-type]  # the test names them


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_goes_wrong_whatever_is_lost_refused_or_killed(shape: str):
    """Any number of crashes, lost answers, refusals, late ids and hours, on the first day and the next."""
    holds_everywhere(variant(shape, portal=0))


def test_nothing_goes_wrong_when_microsoft_remembers_request_ids():
    """The same where a repeated request is answered from memory."""
    holds_everywhere(variant("two equal bases", portal=0, remembers_requests=True))


@pytest.mark.parametrize("shape", ["a base and its add-on", "two equal bases"])
def test_nothing_goes_wrong_when_late_cutovers_are_withdrawn(shape: str):
    """The other policy for what cannot end on its day."""
    holds_everywhere(variant(shape, portal=0, policy=WITHDRAW))


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_goes_wrong_when_people_change_something_meanwhile(shape: str):
    """One change in a portal at any moment: seats, an order by hand, a suspended target, a newer plan."""
    holds_everywhere(variant(shape, portal=1, struck_until=1))


@pytest.mark.slow
@pytest.mark.parametrize("policy", [Policy(), WITHDRAW], ids=["finish", "withdraw"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_goes_wrong_in_the_larger_model(shape: str, policy: Policy):
    """A change in a portal at any moment up to the evening, and what that does to the next day."""
    holds_everywhere(variant(shape, portal=1, struck_until=3, policy=policy))


@pytest.mark.slow
@pytest.mark.parametrize("remembers", [True, False], ids=["replayed", "not replayed"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_goes_wrong_by_the_longer_calendar(shape: str, *, remembers: bool):
    """More moments a day: a read that is old while nothing has settled, and the evening apart from the night."""
    holds_everywhere(variant(shape, portal=0, calendar=LONG, struck_until=6, remembers_requests=remembers))


def test_without_bad_luck_everybody_moves_at_the_first_moment():
    """Invariant 3: same day, same hour; the target's list need not even lag."""
    for shape in SHAPES:
        customer = Customer(variant(shape, portal=0))
        state = customer.variant.start()
        while not state.moved:
            shown = [step for step in customer.steps(state) if "shows up" in step.text]
            work = [step for step in customer.steps(state) if step.kind == "work"]
            state = (shown or work)[0].state
        assert state.moment == 0, shape

"""Two customers at once: every interleaving of their steps under one clock and one process.

Why one customer's whole graph and a reduced pair are enough: two customers share the clock and the process that drives
them, and nothing else (each has its own rows, its own request ids and its own subscriptions). Time passing and the
death of the process are steps of every state of the single graph already, so whatever a second customer does to the
first is a step the first one's exploration has tried everywhere. The pair is explored to see that this is true: every
half of every state reached together must be a state reached alone, and no two calls may share a request id. For that
the faults that hit only one customer can be few, because they never move the other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.model import judge
from tests.model.customer import Customer
from tests.model.state import State, Step


class Pair(NamedTuple):
    """The states of both, at the same moment."""

    first: State
    second: State


class PairStep(NamedTuple):
    """A step of one of them, or of both."""

    text: str
    state: Pair
    kind: str
    wrong: str = ""


class TwoCustomers:
    """The rules of both customers' worlds together. ``luck``: the words of the bad luck that each may have alone."""

    def __init__(self, first: Customer, second: Customer, luck: tuple[str, ...]) -> None:
        self.customers = (first, second)
        self._luck = luck
        self._known: tuple[dict[State, tuple[Step, ...]], ...] = ({}, {})

    def start(self) -> Pair:
        """Nothing was done for either."""
        return Pair(self.customers[0].variant.start(), self.customers[1].variant.start())

    def steps(self, pair: Pair) -> Iterator[PairStep]:
        """One of them goes on, or time passes or the process dies for both."""
        for which in (0, 1):
            for step in self._alone(which, pair[which]):
                halves = (step.state, pair.second) if which == 0 else (pair.first, step.state)
                yield PairStep(f"customer {which + 1}: {step.text}", Pair(*halves), step.kind, step.wrong)
        if not self.customers[0].is_struck(pair.first):
            return  # from here on only work is left to do
        if pair.first.seen is not None or pair.second.seen is not None:
            dead = Pair(pair.first._replace(seen=None), pair.second._replace(seen=None))
            yield PairStep("the program dies", dead, "luck")
        first, second = self.customers
        yield PairStep("time passes", Pair(first.later(pair.first), second.later(pair.second)), "time")

    def _alone(self, which: int, state: State) -> tuple[Step, ...]:
        """The steps of one of them that leave the other and the clock alone."""
        known = self._known[which]
        if state not in known:
            steps = self.customers[which].steps(state)
            known[state] = tuple(one for one in steps if one.kind != "time" and self._is_kept(one))
        return known[state]

    def _is_kept(self, step: Step) -> bool:
        return step.kind != "luck" or any(word in step.text for word in self._luck)

    def rest(self, pair: Pair) -> str:
        """What must hold of each, and of both together."""
        for which, customer in enumerate(self.customers):
            state = pair[which]
            wrong = judge.rest(state, customer.case(state), customer.judged_by)
            if wrong:
                return f"customer {which + 1}: {wrong}"
        ids = [set(_request_ids(state)) for state in pair]
        return "two calls of different customers share a request id" if ids[0] & ids[1] else ""


def _request_ids(state: State) -> Iterator[str]:
    if state.ledger.open is not None:
        yield str(state.ledger.open.request_id)
    yield from (str(intent.request_id) for intent, _ in state.ledger.settled)

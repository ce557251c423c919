"""Breadth-first exploration of everything that can happen, and what can be said of the whole graph afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)
S_co = TypeVar("S_co", covariant=True)


class Move(Protocol[S_co]):
    """One step: what happens, where it leads, of which kind it is, and what is wrong with it."""

    @property
    def text(self) -> str:
        """What happens."""
        ...

    @property
    def state(self) -> S_co:
        """Where it leads."""
        ...

    @property
    def kind(self) -> str:
        """Whether it is "work", "luck", "time" or "again"."""
        ...

    @property
    def wrong(self) -> str:
        """What is wrong with it, if anything."""
        ...


@dataclass
class Graph(Generic[S]):
    """What was explored. ``story`` is the shortest way to something wrong; empty when nothing is."""

    states: list[S] = field(default_factory=list)
    parents: list[tuple[int, str]] = field(default_factory=list)
    edges: list[list[tuple[int, str]]] = field(default_factory=list)  # per state: (state, kind)
    story: tuple[str, ...] = ()

    def way_to(self, index: int) -> tuple[str, ...]:
        """What happened on the shortest way to a state."""
        steps = []
        while index:
            index, text = self.parents[index]
            steps.append(text)
        return tuple(reversed(steps))

    def told(self) -> str:
        """The story in lines."""
        return "\n".join(f"{number}. {text}" for number, text in enumerate(self.story, start=1))


def explore(
    start: S, steps: Callable[[S], Iterable[Move[S]]], rest: Callable[[S], str], limit: int = 2_000_000
) -> Graph[S]:
    """Every state that can be reached; stops at the first thing that is wrong, by the shortest way there is."""
    graph: Graph[S] = Graph([start], [(0, "")], [[]])
    numbers = {start: 0}
    todo = deque([0])
    while todo:
        here = todo.popleft()
        for move in steps(graph.states[here]):
            wrong = move.wrong
            number = numbers.get(move.state)
            if number is None:
                number = numbers[move.state] = len(graph.states)
                graph.states.append(move.state)
                graph.parents.append((here, move.text))
                graph.edges.append([])
                todo.append(number)
                wrong = wrong or rest(move.state)
            if wrong:
                graph.story = (*graph.way_to(here), move.text, f"WRONG: {wrong}")
                return graph
            graph.edges[here].append((number, move.kind))
        if len(numbers) > limit:
            raise AssertionError(f"more than {limit} states: the model is not finite")
    return graph


def lost(graph: Graph[S], is_end: Callable[[S], bool]) -> Iterator[int]:
    """States from which no end can be reached any more."""
    before: list[list[int]] = [[] for _ in graph.states]
    for here, edges in enumerate(graph.edges):
        for there, _ in edges:
            before[there].append(here)
    found = {number for number, state in enumerate(graph.states) if is_end(state)}
    todo = deque(found)
    while todo:
        for number in before[todo.popleft()]:
            if number not in found:
                found.add(number)
                todo.append(number)
    return (number for number in range(len(graph.states)) if number not in found)


def busy_loop(graph: Graph[S]) -> int | None:
    """A state from which plain work leads back to itself in no time; None if there is none."""
    successors = [[there for there, kind in edges if kind == "work"] for edges in graph.edges]
    incoming = [0] * len(successors)
    for edges in successors:
        for there in edges:
            incoming[there] += 1
    todo = deque(number for number, count in enumerate(incoming) if not count)
    left = len(successors)
    while todo:
        left -= 1
        for there in successors[todo.popleft()]:
            incoming[there] -= 1
            if not incoming[there]:
                todo.append(there)
    return next((number for number, count in enumerate(incoming) if count), None) if left else None

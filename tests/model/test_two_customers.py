"""Two customers interleaved: neither reaches a state it could not reach alone, and neither harms the other."""

from __future__ import annotations

import pytest

from tests.model.customer import Customer, Variant
from tests.model.explorer import busy_loop, explore
from tests.model.pair import TwoCustomers
from tests.model.test_one_customer import explored
from tests.model.variants import SHAPES


@pytest.mark.parametrize(
    ("one", "other", "luck"),
    [
        ("two equal bases", "a base and its add-on", ("the answer is lost",)),
        pytest.param("two equal bases", "a base and its add-on", ("lost", "shows up"), marks=pytest.mark.slow),
        pytest.param("two cycles", "a base and its add-on", ("lost", "shows up"), marks=pytest.mark.slow),
        pytest.param("two cycles", "two equal bases", ("lost", "shows up"), marks=pytest.mark.slow),
    ],
)
def test_two_customers_only_share_the_clock_and_the_process(one: str, other: str, luck: tuple[str, ...]):
    """Every half of every state of the pair is a state of that customer alone."""
    variants = [
        Variant(name=shape, sources=SHAPES[shape], portal=0, struck_until=1, customer=f"c{number}")
        for number, shape in enumerate((one, other), start=1)
    ]
    both = TwoCustomers(Customer(variants[0]), Customer(variants[1]), luck)
    graph = explore(both.start(), both.steps, both.rest)
    print(f"{one} beside {other}: {len(graph.states)} states")  # noqa: T201  # the figure is the evidence
    assert not graph.story, graph.told()
    assert busy_loop(graph) is None
    for which, variant in enumerate(variants):
        _, alone = explored(variant)
        assert {pair[which] for pair in graph.states} <= set(alone.states)

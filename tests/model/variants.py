"""The worlds to explore: the ways in which two subscriptions of a customer hang together."""

from __future__ import annotations

from tests.model.microsoft import Thing

BASE_AND_ADD_ON = (
    Thing("s1", "so", "E3", 5, "monthly", None),
    Thing("s2", "so", "VISIO", 5, "monthly", "s1"),
)
TWO_EQUAL_BASES = (
    Thing("s1", "so", "E3", 5, "monthly", None),
    Thing("s2", "so", "E3", 5, "monthly", None),
)
TWO_CYCLES = (
    Thing("s1", "so", "E3", 5, "monthly", None),
    Thing("s2", "so", "E3", 5, "annual", None),
)
SHAPES = {"a base and its add-on": BASE_AND_ADD_ON, "two equal bases": TWO_EQUAL_BASES, "two cycles": TWO_CYCLES}

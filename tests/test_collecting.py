"""How often the garbage collector looks: said once, at the start of a program."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tenantfold.collecting import MORE_OBJECTS, collect_seldom


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_looks_only_after_many_more_objects() -> None:
    """A batch of customers comes and goes without being looked through."""
    collect_seldom()
    assert gc.get_threshold()[0] == MORE_OBJECTS


def test_still_finds_cycles() -> None:
    """Nothing is switched off: what refers to itself goes all the same."""
    collect_seldom()
    assert gc.isenabled()
    assert all(gc.get_threshold())

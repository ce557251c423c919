"""Runs one function in a Python of its own, so that what it takes is not mixed with anything before it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_fresh_process(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The function's answer. It must be importable, and its arguments and its answer picklable."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()

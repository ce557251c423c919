"""Who was first (simulation room): every unit that the ledger commits has a number, whoever wrote it.

Virtual time stands still while the ledger works, so times cannot say whether a hold was there before an intent.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from itertools import count
from typing import Any, TypeVar

from tenantfold.store.database import Database

T = TypeVar("T")

_NUMBERS = count(1)
_LAST: ContextVar[int] = ContextVar("number_of_the_last_commit", default=0)


def number_of_the_last_commit() -> int:
    """The number of the last unit that the running task committed; 0 before the first."""
    return _LAST.get()


def number_now() -> int:
    """A number after everything that was committed so far."""
    return next(_NUMBERS)


class NumberedDatabase(Database):
    """A ledger file whose units are numbered."""

    async def write(self, work: Callable[[Any], T], *, durable: bool) -> T:
        """As ever; the unit has its number when it is committed."""

        def numbered(conn: Any) -> T:  # noqa: ANN401  # a connection; only the store knows its kind
            value = work(conn)
            _LAST.set(next(_NUMBERS))
            return value

        return await super().write(numbered, durable=durable)

"""Finding the one customer a person means, and walking over all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tenantfold.bootstrap import Program
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Standing
from tenantfold.errors import InputError

SHOWN = 5


async def find_customer(program: Program, text: str) -> tuple[CustomerId, str]:
    """The customer with this id, domain or name. Raises InputError when there is none, or more than one."""
    found = await program.store.find_customers(text)
    if not found:
        raise InputError(
            f"No customer matches '{text}'.",
            next_step="Give the customer id, the domain or (part of) the company name as inventory saw it.",
        )
    if len(found) > 1:
        some = "; ".join(f"{name} ({customer_id})" for customer_id, name in found[:SHOWN])
        raise InputError(
            f"'{text}' matches {len(found)} customers: {some}{' ...' if len(found) > SHOWN else ''}.",
            next_step="Give the customer id.",
        )
    return found[0]


async def every_standing(program: Program, *, unfinished_only: bool = False) -> AsyncIterator[Standing]:
    """Every customer of the newest plan and where it stands, in id order."""
    after = ""
    while page := await program.store.standings(after, unfinished_only=unfinished_only):
        for standing in page:
            yield standing
        after = page[-1].progress.customer_id

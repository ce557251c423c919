"""What both sides show of the transfers between one source and the target, put together (domain room).

Either list may be a little behind, and the target sees no lines before a transfer is over (commerce reference 4.1). A
transfer only ever goes forward, so the farther of two views is the newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tenantfold.domain.model import SubscriptionId, TenantId
from tenantfold.domain.observation import Observation
from tenantfold.domain.requests import Transfer, TransferId, TransferLine, TransferState

_STEPS = {TransferState.PENDING: 0, TransferState.UNKNOWN: 1, TransferState.IN_PROGRESS: 2}
_OVER = 3


def transfers_between(
    observation: Observation, source_id: TenantId, target_id: TenantId
) -> Mapping[TransferId, Transfer]:
    """The transfers from a source to the target, as far as either side shows them, oldest first."""
    found: dict[TransferId, Transfer] = {}
    for tenant_id in (source_id, target_id):
        for one in observation.beside.transfers.get(tenant_id, ()):
            if (one.source_id, one.target_id) == (source_id, target_id):
                found[one.id] = _farther(found[one.id], one) if one.id in found else one
    return found


def done_lines(transfers: Iterable[Transfer]) -> dict[SubscriptionId, TransferLine]:
    """What moved, by its id at the source, as Microsoft says."""
    return {line.id: line for one in transfers for line in one.lines if line.is_done}


def attempts_at(transfers: Iterable[Transfer], item_ids: frozenset[SubscriptionId]) -> Iterator[Transfer]:
    """The transfers that are over and left one of these items where it is: canceled, refused, expired or failed."""
    for one in transfers:
        if not one.state.is_over or one.state is TransferState.COMPLETE:
            continue
        if not one.lines or any(line.id in item_ids and not line.is_done for line in one.lines):
            yield one


def _farther(first: Transfer, second: Transfer) -> Transfer:
    return max(
        first, second, key=lambda one: (_STEPS.get(one.state, _OVER), sum(x.is_done for x in one.lines), len(one.lines))
    )

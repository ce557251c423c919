"""What a person confirmed: the record behind everything that no call can prove (domain room)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenantfold.domain.model import CustomerId, SubscriptionId


class TaskKind(StrEnum):
    """What only a person can do or see. Each is explained in ``domain.tasks``."""

    COST_HISTORY_EXPORTED = "cost_history_exported"
    ACCESS_LISTED = "access_listed"
    OLD_ACCESS_REMOVED = "old_access_removed"
    NEW_ACCESS_ADDED = "new_access_added"
    TRANSFER_UNBLOCKED = "transfer_unblocked"
    HANDED_OFF = "handed_off"
    END_OF_TERM_CHOSEN = "end_of_term_chosen"
    DATA_SAFE = "data_safe"
    BOUGHT_AT_TARGET = "bought_at_target"
    ENDED_AT_SOURCE = "ended_at_source"
    STATUS_SETTLED = "status_settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One confirmation, for one source subscription. Never changed or removed; a later one of the same task counts.

    ``file`` is the name of a document that was shown, ``sha256`` its digest; the document itself is not kept.
    ``target_id`` names the target subscription that stands for it, where a person says so.
    """

    customer_id: CustomerId
    subscription_id: SubscriptionId
    task: TaskKind
    note: str
    by: str
    at: datetime
    file: str = ""
    sha256: str = ""
    target_id: SubscriptionId | None = None

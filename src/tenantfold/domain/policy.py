"""The choices a partner makes once for the whole consolidation, as a value the core can read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum


class LateCase(StrEnum):
    """What to do with a cutover that cannot end on its own UTC day (DESIGN 3, invariant 3)."""

    FINISH = "finish"
    WITHDRAW = "withdraw"


class GovernmentCloud(StrEnum):
    """What may be done in Microsoft Cloud for US Government, where the sources contradict each other (S-6)."""

    PLAN_ONLY = "plan_only"
    MOVE = "move"


class AgreementSource(StrEnum):
    """Where the customer's consent to the Microsoft Customer Agreement comes from (R-113)."""

    LIST = "list"  # the partner attests what the list of customers says
    CUSTOMER = "customer"  # only what the customer accepts directly counts; nothing is attested


class PartialCustomers(StrEnum):
    """Whether a customer may move in part (R-32)."""

    ALL_OR_NOTHING = "all_or_nothing"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPolicy:
    """The choices planning reads; the defaults are the careful ones."""

    us_government: GovernmentCloud = GovernmentCloud.PLAN_ONLY
    agreement_source: AgreementSource = AgreementSource.LIST
    gdap_request: bool = False
    partial_customers: PartialCustomers = PartialCustomers.ALL_OR_NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Durations are seconds; ``stop_starting_at`` and ``late_at`` are UTC times of day (R-192).

    ``buys_azure_plan``: a missing Azure plan is bought at the target (R-164); ``cleans_azure_default``: the empty Azure
    subscription that comes with it is canceled (R-174); ``opens_service_requests``: Microsoft is asked through the API
    where that is allowed, else a person asks. ``reminds_days_before_end``: how early the end of a term is a person's.
    ``agreement_source``: whether a missing agreement is ours to attest, or only the customer's to accept (R-113).
    ``refused_retry_seconds``: when what Microsoft refused to transfer is tried again though nobody said it is in order.

    From ``late_at`` on, and on any later day, an open cutover is late: an alarm is raised and ``late_case`` followed.
    """

    stop_starting_at: time = time(21, 0)
    settling_seconds: float = 900.0
    provisioning_wait_seconds: float = 900.0
    observation_max_age_seconds: float = 120.0
    retry_seconds: float = 15.0
    late_case: LateCase = LateCase.FINISH
    late_at: time = time(23, 30)
    transfer_poll_seconds: float = 300.0
    hand_off_poll_seconds: float = 21_600.0
    buys_azure_plan: bool = False
    cleans_azure_default: bool = False
    opens_service_requests: bool = False
    reminds_days_before_end: int = 14
    agreement_source: AgreementSource = AgreementSource.LIST
    refused_retry_seconds: float = 604_800.0

    @property
    def write_leaves_within_seconds(self) -> float:
        """How long after its intent a call may still leave: well before anybody may conclude that it never did.

        Well below the settling time, with room for a busy limit; ten seconds where a test settles at once.
        """
        return max(10.0, min(300.0, self.settling_seconds / 3))

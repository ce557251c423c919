"""What planning has to say about a customer or subscription: a code, a severity, a rule, who must act and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenantfold.domain.states import Owner


class Severity(StrEnum):
    """Blockers keep the customer where it is; warnings need an approver's eye; notes only inform."""

    BLOCKER = "blocker"
    WARNING = "warning"
    NOTE = "note"


class FindingCode(StrEnum):
    """Every reason planning can give. Listed in docs/reference/errors.md."""

    OUTSIDE_REGION = "outside_region"
    COUNTRY_UNKNOWN = "country_unknown"
    OTHER_COUNTRY = "other_country"
    NOT_READ = "not_read"
    UNKNOWN_STATUS = "unknown_status"
    ROUTE_NOT_SUPPORTED = "route_not_supported"
    OFFER_NOT_SOLD = "offer_not_sold"
    MAPPING_NOT_APPROVED = "mapping_not_approved"
    MAPPED_OFFER = "mapped_offer"
    BILLING_CYCLE_NOT_SOLD = "billing_cycle_not_sold"
    LICENSE_COUNT_OUT_OF_RANGE = "license_count_out_of_range"
    OFFER_LIMIT_REACHED = "offer_limit_reached"
    SUBSCRIPTION_LIMIT_REACHED = "subscription_limit_reached"
    ADD_ON_WITHOUT_BASE = "add_on_without_base"
    AGREEMENT_CONTACT_MISSING = "agreement_contact_missing"
    ADOPTS_EXISTING = "adopts_existing"
    TARGET_HAS_OTHER_COUNT = "target_has_other_count"
    TWO_SOURCES = "two_sources"
    CUTOVER_HAS_BEGUN = "cutover_has_begun"
    NOTHING_TO_MOVE = "nothing_to_move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know before approval. ``rule`` is the R-number it rests on."""

    code: FindingCode
    severity: Severity
    rule: str
    detail: str
    owner: Owner
    next_action: str

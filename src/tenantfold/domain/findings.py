"""What planning has to say about a customer or subscription: a code, a severity, a rule, who must act and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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
    BY_HAND = "by_hand"
    HANDED_OFF = "handed_off"
    RUNS_OUT = "runs_out"
    TERM_COMMITTED = "term_committed"
    CUSTOMER_EMAIL_MISSING = "customer_email_missing"
    MARKETPLACE_PRODUCTS = "marketplace_products"
    ACCESS_AND_HISTORY = "access_and_history"
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
    TARGET_NOT_VERIFIED = "target_not_verified"
    TWO_SOURCES = "two_sources"
    CUTOVER_HAS_BEGUN = "cutover_has_begun"
    NOTHING_TO_MOVE = "nothing_to_move"
    CLOUD_PLAN_ONLY = "cloud_plan_only"
    MANY_SUBSCRIPTIONS = "many_subscriptions"
    SEAT_MAXIMUM_REACHED = "seat_maximum_reached"
    ONE_PER_CUSTOMER = "one_per_customer"
    PREREQUISITE_MISSING = "prerequisite_missing"
    PROMOTION_LOST = "promotion_lost"
    END_DATES_SPLIT = "end_dates_split"
    RESERVATION_CURRENCY = "reservation_currency"
    RESERVATION_INACTIVE = "reservation_inactive"
    AZURE_PLAN_MISSING = "azure_plan_missing"
    TRIAL_RUNS_OUT = "trial_runs_out"
    STILL_BILLED = "still_billed"
    NOT_TRANSFERABLE = "not_transferable"
    OPEN_TRANSFER = "open_transfer"
    AUTO_RENEW_ON = "auto_renew_on"
    EXTENDED_TERM = "extended_term"
    AGREEMENT_MISSING = "agreement_missing"
    PARTNER_ID_MISSING = "partner_id_missing"
    RESELLER_MISSING = "reseller_missing"
    RESELLER_NOT_POSSIBLE = "reseller_not_possible"
    SAME_SKU_TWICE = "same_sku_twice"
    PART_STAYS = "part_stays"
    SOFTWARE_STAYS = "software_stays"
    NOT_VERIFIED = "not_verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know before approval. ``rule`` is the R-number it rests on.

    ``estimated_on`` is the UTC date on which it takes effect or must be settled, where that can be told.
    """

    code: FindingCode
    severity: Severity
    rule: str
    detail: str
    owner: Owner
    next_action: str
    estimated_on: date | None = None

    @property
    def needs_somebody(self) -> bool:
        """Whether there is something to decide or to do: blockers, warnings, and notes that name who acts."""
        return self.severity is not Severity.NOTE or self.owner is not Owner.NOBODY

"""Whether a target subscription is the equal of a source subscription. Reading order 6 (invariant 4).

The comparison is against what the approver saw (the plan item), and separately against the fresh source read,
so that a change on either side shows up as a named drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tenantfold.domain.model import Subscription, SubscriptionId
from tenantfold.domain.order_lines import is_new_commerce, wanted_offer, wanted_terms
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.products import product_sku


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One field in which two sides differ."""

    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Say it to a person."""
        return f"{self.field}: expected {self.expected or 'nothing'}, found {self.found or 'nothing'}"


def compare(item: PlanItem, target: Subscription, parent_target_id: SubscriptionId | None = None) -> tuple[Drift, ...]:
    """Compare a target subscription with the approved plan item; no drift means parity.

    Offer (or the approved mapping), license count, billing cycle, term, add-on's base and partner id on record must be
    equal; new commerce has no bases. Status is not parity: that the target is active is a guard of its own.
    """
    # an add-on whose base is not known at the target is no equal, even where the target shows no base either
    follows = item.is_add_on and not is_new_commerce(item)
    base = (parent_target_id or "its base at the target") if follows else ""
    wanted = wanted_terms(item)
    checks = [
        ("offer", wanted_offer(item), product_sku(target.offer_id)),
        ("license count", str(item.license_count), str(target.license_count)),
        ("billing cycle", wanted.billing_cycle, target.billing_cycle),
        ("term", wanted.duration, target.term_duration),
        ("partner id on record", item.partner_id_on_record, target.partner_id_on_record),
        ("base subscription", base, target.parent_id or ""),
    ]
    return _drifts(checks)


def compare_moved(item: PlanItem, target: Subscription, today: date) -> tuple[Drift, ...]:
    """Compare what a transfer brought with the approved plan item: all but ids and price stays as it was (R-149).

    A term that has ended since the plan was renewed, before the transfer or after it: its end is another one then.
    """
    is_running = item.ends_on is not None and item.ends_on >= today
    expected, found = (item.ends_on, target.commitment_end_on) if is_running else (None, None)
    return _drifts(
        [
            ("product", product_sku(item.offer_id), product_sku(target.offer_id)),
            ("license count", str(item.license_count), str(target.license_count)),
            ("billing cycle", item.billing_cycle, target.billing_cycle),
            ("term", item.term_duration, target.term_duration),
            ("end of the term", str(expected or ""), str(found or "")),
            ("partner id on record", item.partner_id_on_record, target.partner_id_on_record),
        ]
    )


def source_drift(item: PlanItem, source: Subscription) -> tuple[Drift, ...]:
    """Compare a fresh source read with what the approver saw; any drift makes the plan of this customer stale."""
    return _drifts(
        [
            ("offer", item.offer_id, source.offer_id),
            ("license count", str(item.license_count), str(source.license_count)),
            ("billing cycle", item.billing_cycle, source.billing_cycle),
            ("term", item.term_duration, source.term_duration),
            ("partner id on record", item.partner_id_on_record, source.partner_id_on_record),
            ("base subscription", item.parent_id or "", source.parent_id or ""),
        ]
    )


def _drifts(checks: list[tuple[str, str, str]]) -> tuple[Drift, ...]:
    return tuple(
        Drift(field=name, expected=expected, found=found) for name, expected, found in checks if expected != found
    )

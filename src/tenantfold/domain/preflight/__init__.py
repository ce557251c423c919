"""Preflight: what stands in the way of one customer's move, seen from inventory alone (domain room).

Each rule is one small function in the module of its topic, registered in the table ``RULES`` with its code, severity,
rule numbers, who must act, how, and how the date is estimated. ``docs/reference/preflight.md`` is made from the table.
Nothing here chooses a route or an offer.
"""

from __future__ import annotations

from tenantfold.domain.preflight import agreement, azure, capacity, money, offers, place, sides, whole
from tenantfold.domain.preflight.context import HELD, PlanContext
from tenantfold.domain.preflight.review import Review
from tenantfold.domain.preflight.rule import RULES, Rule, Topic, customer_findings, with_findings

__all__ = [
    "HELD",
    "RULES",
    "PlanContext",
    "Review",
    "Rule",
    "Topic",
    "agreement",
    "azure",
    "capacity",
    "customer_findings",
    "money",
    "offers",
    "place",
    "sides",
    "whole",
    "with_findings",
]

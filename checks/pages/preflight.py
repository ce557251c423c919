"""docs/reference/preflight.md: every preflight rule, from the table in the code."""

from __future__ import annotations

from collections.abc import Iterator

from checks.pages.markdown import code, head, page, table
from tenantfold.domain.preflight import RULES, Topic
from tenantfold.domain.preflight.rule import Rule


def build() -> str:
    """The page: one table for each topic, in the order in which the rules are asked."""
    parts = [part for topic in Topic for part in _topic(topic)]
    return page(
        head(
            "Preflight rules",
            "This page lists everything planning looks at before a customer may move, with the rules it rests on.",
        ),
        "Each rule gives a [finding](errors.md#findings). A **blocker** keeps the customer where it is, a **warning** "
        "needs the approver's eye, a **note** only informs. A rule that needs a fact nobody has looked up says "
        "`not_verified` instead; it never guesses. Rule numbers are those that plans, `tenantfold explain` and reports "
        "show.",
        "**Date** is the estimated day that a finding carries in `show plan`, `explain` and `export findings`. It is "
        "taken from what was read (the end of a term, of a window to cancel, of a request); where the fact is missing "
        "it stays empty. Most rules know no day: the column then says by when they must be settled.",
        *parts,
        "## Facts that are not in the inventory",
        table(("rule", "needs"), ((code(rule.name), rule.needs) for rule in RULES if rule.needs)),
    )


def _topic(topic: Topic) -> Iterator[str]:
    rules = [rule for rule in RULES if rule.topic is topic]
    yield f"## {topic.value}"
    yield table(("finding", "severity", "rules", "when it speaks", "who acts, and how", "date"), map(_row, rules))


def _row(rule: Rule) -> tuple[str, ...]:
    routes = f" ({', '.join(rule.routes)})" if rule.routes else ""
    return (
        code(rule.code.value),
        rule.severity.value,
        ", ".join(rule.rules),
        f"{rule.about}{routes}",
        f"{rule.owner.value}: {rule.how}",
        rule.when if rule.is_dated else f"no day follows from what is known: {rule.when}",
    )

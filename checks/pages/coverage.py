"""docs/reference/emulator-coverage.md: what the emulator does, and whether Microsoft documents it or we assume it."""

from __future__ import annotations

from collections import Counter

from checks.pages.markdown import head, page


def build() -> str:
    """The page, from the emulator's own registry."""
    from partner_center_emulator import coverage, left_out, resources  # noqa: PLC0415 - others do without the emulator

    resources.routes()  # importing every resource registers its behaviors
    counts = Counter(entry.source for entry in coverage.behaviours())
    gaps = Counter(gap.extent for gap in left_out.GAPS)
    return page(
        head(
            "Emulator coverage", "This page lists what the emulator of Partner Center does, and how sure we are of it."
        ),
        f"*Documented* behavior ({counts['documented']} lines) names where it is described: a section of "
        "the project's notes on Microsoft's published pages, core or commerce. "
        f"*Assumed* behavior ({counts['assumed']} lines) is our choice where Microsoft publishes nothing. A call is "
        f"*supported*, *partial* ({gaps['partial']} lines say what is missing), or *absent* ({gaps['absent']} lines "
        "say why): an absent one is answered with 404 or 405. `partner-center-emulator coverage` prints the same "
        "table.",
        coverage.markdown_table(),
        "## Published examples without a route",
        "Every other published example of an answer is compared with the emulator's own, member by member, by a test.",
        "\n".join(f"- `{name}`: {why}" for name, why in left_out.SAMPLES_WITHOUT_ROUTE.items()),
    )

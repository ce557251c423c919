"""What the coverage table says is missing: true of the routes, with a page and a reason, and partial where it is."""

from __future__ import annotations

import httpx2
import pytest

from partner_center_emulator import coverage, left_out, resources
from partner_center_emulator.webhooks.models import SILENT_EVENTS
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, STRANGER

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
ABSENT = [gap for gap in left_out.GAPS if gap.extent == "absent"]
PARTIAL = [gap for gap in left_out.GAPS if gap.extent == "partial"]
CALLS = [gap.route for gap in ABSENT if gap.route.split(" ")[0] in METHODS and ":" not in gap.route]


def test_nothing_that_is_absent_is_served_and_everything_partial_is():
    """The table cannot deny a route that is there, nor praise one that is not; each line has a page and a reason."""
    served = {route.key for route in resources.routes()}
    assert {gap.route for gap in ABSENT} & (served | {entry.route for entry in coverage.behaviours()}) == set()
    assert {gap.route for gap in PARTIAL} - served == set()
    assert all(gap.page.startswith(("core ", "commerce ")) and gap.reason for gap in left_out.GAPS)
    assert len({gap.route for gap in left_out.GAPS}) == len(left_out.GAPS)


def test_the_table_says_supported_partial_or_absent_of_every_line():
    """One line per behaviour and per gap; a partial call is partial in all its lines."""
    resources.routes()
    rows = [line.strip("| ").split(" | ") for line in coverage.markdown_table().splitlines()[2:]]
    assert len(rows) == len(coverage.behaviours()) + len(left_out.GAPS)
    assert {row[1] for row in rows} == {"supported", "partial", "absent"}
    assert {row[2] for row in rows} == {"documented", "assumed"}
    by_route: dict[str, set[str]] = {}
    for row in rows:
        by_route.setdefault(row[0], set()).add(row[1])
    assert all(len(extents) == 1 for extents in by_route.values())
    assert by_route["`GET /v1/usagesummary`"] == {"absent"}


def test_every_silent_webhook_is_named():
    """Events that may be registered and never come are in the table."""
    told = " ".join(gap.route for gap in ABSENT)
    assert [name for name in SILENT_EVENTS if name not in told] == []


@pytest.mark.parametrize("call", CALLS)
async def test_an_absent_call_is_answered_with_an_error_of_the_service(client: Client, call: str):
    """404, or 405 where another method is served; in one of the service's forms (core 2.4)."""
    method, path = call.split(" ")
    path = path.replace("{customer}", ALFA).replace("{subscription}", STRANGER).replace("{order}", STRANGER)
    answer: httpx2.Response = await client("se").request(method, path, json={})
    assert answer.status_code in {404, 405}
    assert {"statusCode", "code"} & set(answer.json())

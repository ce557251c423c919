"""The coarse jobs, done by a worker process: what a person handed in comes out, and stands in the history."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tenantfold import config
from tenantfold.bootstrap import open_store
from tenantfold.reports.tables import TABLES
from tenantfold.store.tally import Tally
from tests.workers.fleets import Fleet, breathe, fleet_of

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

CUSTOMERS = 12


@pytest.fixture
def fleet(tmp_path: Path, postgres_url: str) -> Iterator[Fleet]:
    """A small partner."""
    yield from fleet_of(CUSTOMERS, tmp_path, postgres_url)


def _done(fleet: Fleet, kind: str) -> str:
    """Hand a job in and wait for what came out."""
    assert fleet.good("job", kind) == {"job": kind, "queued": True}
    for _ in range(120):
        lines: list[dict[str, Any]] = [one for one in fleet.good("jobs") if one["kind"] == kind]
        assert not [one for one in lines if one["state"] == "failed"], lines
        if [one["state"] for one in lines] == ["done"]:
            return str(lines[0]["result"])
        breathe(0.5)
    raise AssertionError(f"The job {kind} was not done within a minute.")


def test_a_worker_reads_exports_and_reminds(fleet: Fleet) -> None:
    """A plan can be made from its inventory; the workbook opens; everybody who has not accepted gets a letter."""
    worker = fleet.start("worker", "--name", "one", "--json")
    try:
        read = _done(fleet, "inventory")
        found = re.fullmatch(r"(\d+) customer\(s\) read in (\d+) tenant\(s\), (\d+) call\(s\) to Partner Center", read)
        assert found is not None, read
        assert all(int(number) > 1 for number in found.groups())
        fleet.demo.write_list()
        plan = fleet.good("plan", "--customers", str(fleet.folder / "customers-to-move.csv"))["plan"]
        assert plan["to_move"] > 0
        fleet.good("approve", plan["checksum"][:12], "--by", "tester")
        reminded = _done(fleet, "remind")
        letters = list((fleet.folder / "invitations").iterdir())
        assert len(letters) == int(reminded.split()[0]) > 0
        exported = _done(fleet, "export")
        book = CalamineWorkbook.from_path(str(fleet.folder / "reports" / "export.xlsx"))
        assert len(book.sheet_names) >= len(TABLES)
        assert "export.xlsx" in exported
    finally:
        worker.terminate()
        out, err = worker.communicate(timeout=60)
    assert worker.returncode == 0, (out, err)
    assert asyncio.run(_moving_calls(fleet)) == {}


async def _moving_calls(fleet: Fleet) -> dict[str, int]:
    """Calls that are counted as the move's, but for the looks for acceptances."""
    settings = config.load(fleet.folder / "tenantfold.toml")
    async with open_store(settings, config.resolver(None)) as store:
        calls = await Tally(store.database).calls()
    return {route: count for route, count in calls.items() if route != "GET /v1/customers" and "oauth2" not in route}

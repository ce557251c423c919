"""A drive loads its case once and follows what it records: in every seed that is what loading it again would give."""

from __future__ import annotations

from collections import Counter

import pytest

from tenantfold.flow import cutover
from tenantfold.simulation import crash_search, mixed_scenario
from tenantfold.simulation.scenario import Scenario, draw


@pytest.mark.parametrize(
    "scenario",
    [*(draw(seed) for seed in (3, 25, 81, 1_004)), *(mixed_scenario.draw(seed) for seed in (1, 5))],
    ids=lambda one: f"{type(one).__name__} {one.seed}",
)
def test_a_drive_knows_what_the_ledger_knows(scenario: Scenario, monkeypatch: pytest.MonkeyPatch):
    """After every action, unless somebody else moved the row meanwhile (then nothing more can be recorded)."""
    checked: Counter[bool] = Counter()
    step = cutover._Drive.step  # what is remembered is nobody else's

    async def watched(drive: cutover._Drive) -> bool:
        goes_on = await step(drive)
        held = await drive.tools.ledger.case(drive.case.customer.customer_id)
        if held is not None and drive.knows_case and held.progress.version == drive.case.progress.version:
            assert drive.case == held
            checked[goes_on] += 1
        return goes_on

    monkeypatch.setattr(cutover._Drive, "step", watched)  # as above
    assert crash_search.play(scenario).faults == ()
    assert checked[True] > 20

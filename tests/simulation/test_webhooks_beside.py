"""Events reach the receiver beside the runs: they make something due earlier, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, update

from partner_center_emulator.seed.portfolios import Portfolio
from tenantfold.domain import webhooks
from tenantfold.domain.records import Event
from tenantfold.simulation import crash_search, webhook_script
from tenantfold.simulation.mixed_scenario import MixedScenario, draw
from tenantfold.simulation.webhook_script import Lie, WebhookScript
from tenantfold.store import tables, wake_ups
from tests.simulation.beside import quiet

TWO = (Portfolio.LEGACY, Portfolio.MODERN)
WAIT = 3_600.0


def heard(*portfolios: Portfolio, lies: Sequence[Lie] = (), **members: object) -> MixedScenario:
    """These customers, and a run that waits an hour and listens; ``members`` are of the script."""
    script = WebhookScript(wait_seconds=WAIT, lies=tuple(lies), **members)  # type: ignore[arg-type]  # by name
    return quiet(*portfolios, webhooks=script, transfer_seconds=900.0)


def lines(scenario: MixedScenario, what: str) -> list[str]:
    """The lines of the story that say so."""
    return [line for line in crash_search.tell(scenario) if what in line]


def test_a_transfer_that_is_done_wakes_its_customer():
    """The run hears of it at once."""
    scenario = heard(Portfolio.MODERN)
    assert lines(scenario, "webhook.customer_woken")
    assert crash_search.play(scenario).faults == ()


def test_a_lost_delivery_costs_nothing_but_time():
    """Everybody has moved in the end, as without webhooks."""
    for lost in (0.0, 1.0):
        verdict = crash_search.play(heard(*TWO, lost=lost))
        assert (verdict.faults, verdict.moved) == ((), 2)


@pytest.mark.parametrize(
    "members",
    [{"doubled": 1.0}, {"late": 1.0, "late_seconds": 4_000.0}, {"unanswered": 0.5}, {"deadly": 1.0}],
    ids=["doubled", "late", "unanswered", "the receiver dies"],
)
def test_deliveries_in_whatever_way_change_nothing_but_when(members: dict[str, float]):
    """All have moved, and the ledger is as the judge allows."""
    verdict = crash_search.play(heard(*TWO, **members))  # type: ignore[arg-type]  # by name
    assert (verdict.faults, verdict.moved) == ((), 2)


def test_lies_do_no_harm():
    """Every event of every name, about somebody to whom nothing happened, signed or forged."""
    lies = [
        Lie(moment=300.0 + 20 * place, number=place % 2, event=event, is_forged=is_forged)
        for place, event in enumerate(webhooks.EVENTS)
        for is_forged in (False, True)
    ]
    verdict = crash_search.play(heard(*TWO, lies=lies))
    assert (verdict.faults, verdict.moved) == ((), 2)


def test_finds_a_delivery_that_changes_more_than_a_time(monkeypatch: pytest.MonkeyPatch):
    """Broken on purpose: whoever is woken forgets where it stands."""
    wake = wake_ups._wake

    def breaking(conn: Connection, change: Any, event: Event) -> datetime | None:  # noqa: ANN401 - the store's own
        conn.execute(update(tables.progress).values(detail="woken"))
        return wake(conn, change, event)

    monkeypatch.setattr(wake_ups, "_wake", breaking)
    assert "woken" in crash_search.play(heard(Portfolio.MODERN)).kinds


def test_finds_a_receiver_that_believes_everybody(monkeypatch: pytest.MonkeyPatch):
    """Broken on purpose: no signature is checked."""
    monkeypatch.setattr("tenantfold.partnercenter.signatures.check_signature", lambda *_: None)
    lies = [Lie(moment=400.0, number=0, event="complete-transfer", is_forged=True)]
    assert "woken" in crash_search.play(heard(Portfolio.MODERN, lies=lies)).kinds


def test_hearing_changes_nothing_else_of_a_seed():
    """It is drawn from a generator of its own, for a share of the seeds."""
    some = [draw(seed) for seed in range(1, 101)]
    assert 20 <= sum(one.webhooks is not None for one in some) <= 50
    assert webhook_script.draw(3, (0, 1)) == webhook_script.draw(3, (0, 1))


def test_the_same_seed_that_hears_leaves_the_same_journal():
    """Deliveries come at the same place every time."""
    scenario = heard(Portfolio.MODERN, lost=0.3, doubled=1.0, deadly=0.3)
    assert crash_search.journal(scenario) == crash_search.journal(scenario)

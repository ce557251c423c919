"""What persons and Microsoft's support do, played against the emulator: moved and clean, or somebody is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from partner_center_emulator.seed.portfolios import Portfolio
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Case
from tenantfold.domain.states import Origin, Owner, Phase
from tenantfold.simulation import mixed_judge, mixed_scenario
from tenantfold.simulation.hearing import Verdict
from tenantfold.simulation.loop import run
from tenantfold.simulation.mixed import MixedSimulation
from tenantfold.simulation.scenario import FaultScript
from tenantfold.simulation.stage import SimulatedStore
from tests.simulation.test_mixed import quiet


def played(
    portfolio: Portfolio, folder: Path, *, opens: bool = False, mistake: str = "", faults: tuple[FaultScript, ...] = ()
) -> tuple[Verdict, Case]:
    """One customer of a portfolio to the end; ``mistake`` is what support gets wrong, every time."""
    scenario = quiet(portfolio, faults=faults)

    async def work() -> tuple[Verdict, Case]:
        people = replace(scenario.people, opens_requests=opens)
        simulation = MixedSimulation(replace(scenario, people=people), folder)
        manner = simulation.stage.world.behaviour.support.manner
        manner.mistakes, manner.mistake_probability = ([mistake], 1.0) if mistake else ([], 0.0)
        await simulation.play()
        verdict = await mixed_judge.judge(simulation)
        async with SimulatedStore.open(simulation.stage.settings.database_url, inline=True) as store:
            case = await store.case(CustomerId(next(iter(simulation.stage.world.customers))))
        assert case is not None
        assert len(simulation.stage.world.azure.service_requests) <= 1
        return verdict, case

    return run(work, scenario.seed)


@pytest.mark.parametrize("opens", [False, True])
def test_support_moves_azure_whoever_asked_for_it(tmp_path: Path, *, opens: bool):
    """By a person in the portal, or by one call: off at the source, active at the target, the ledger clean."""
    verdict, case = played(Portfolio.LEGACY_AZURE, tmp_path, opens=opens)
    assert verdict.faults == ()
    assert case.progress.phase is Phase.MOVED
    assert [one.origin for one in case.counterparts] == [Origin.BY_HAND]
    sent = [outcome.kind for intent, outcome in case.settled if intent.kind is OpKind.OPEN_SERVICE_REQUEST]
    assert sent == ([OutcomeKind.DONE] if opens else [])


@pytest.mark.parametrize(
    ("effect", "first"),
    [("after", OutcomeKind.ADOPTED), ("before", OutcomeKind.FAILED)],
)
def test_support_is_asked_once_whatever_becomes_of_the_answer(tmp_path: Path, effect: str, first: OutcomeKind):
    """A request that arrived is found by its title; one that did not is made anew after a pause."""
    members = {"kind": "server_error", "route": "POST /v1/servicerequests/*", "effect": effect}
    verdict, case = played(Portfolio.LEGACY_AZURE, tmp_path, opens=True, faults=(FaultScript(members=members),))
    assert verdict.faults == ()
    assert case.progress.phase is Phase.MOVED
    sent = [outcome.kind for intent, outcome in case.settled if intent.kind is OpKind.OPEN_SERVICE_REQUEST]
    assert sent[0] is first
    assert len([kind for kind in sent if kind is not OutcomeKind.FAILED]) <= 1


@pytest.mark.parametrize("portfolio", [Portfolio.SOFTWARE, Portfolio.SAAS])
def test_what_a_person_bought_and_ended_has_moved(tmp_path: Path, portfolio: Portfolio):
    """Two confirmations, one after the other, both read back; neither a twin nor a gap."""
    verdict, case = played(portfolio, tmp_path)
    assert verdict.faults == ()
    assert case.progress.phase is Phase.MOVED
    assert Origin.BY_HAND in {one.origin for one in case.counterparts}
    assert [one.task.value for one in case.evidence] == ["bought_at_target", "ended_at_source"]


@pytest.mark.parametrize(("mistake", "words"), [("partial", "is closed, but"), ("asks_back", "needs an answer")])
def test_what_support_leaves_undone_is_told_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: str, words: str
):
    """Nothing counts as moved, and operations hears of it with the number of the request."""
    monkeypatch.setattr(mixed_scenario, "HORIZON", timedelta(days=6))  # nobody answers support: it waits for ever
    verdict, case = played(Portfolio.LEGACY_AZURE, tmp_path, mistake=mistake)
    assert verdict.faults == ()
    assert (case.progress.phase, case.progress.owner) == (Phase.HANDED_OFF, Owner.OPERATIONS)
    assert words in case.progress.detail
    assert not any(one.is_done for one in case.counterparts)

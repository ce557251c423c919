"""The rehearsal: it foresees what the real run does, finds what was planted, repeats itself, and leaves no trace."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import structlog

from partner_center_emulator import demo_world
from partner_center_emulator.seed import generate_world
from partner_center_emulator.world import Acceptance as Manner
from partner_center_emulator.world import World
from tenantfold.dispatch.local import local_run
from tenantfold.domain.model import CustomerId
from tenantfold.domain.prediction import Prediction
from tenantfold.errors import InputError, PlanNotApprovedError
from tenantfold.flow.call_log import CallLog
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import StopSign
from tenantfold.flow.run import RunOptions
from tenantfold.flow.waves import Approval
from tenantfold.reports.forecast import compare, newest_rehearsal
from tenantfold.simulation.rehearsal import Script, keep, play, prepared, read_faults
from tenantfold.simulation.stage import Stage
from tenantfold.store import RowSet, Store
from tests.simulation.rehearsed import AT_ONCE, Folded, folded, on_virtual_time, rehearse, with_acceptance


def _small(seed: int = 3, customers: int = 8) -> World:
    return generate_world(seed, customers)


def _by_route(prediction: Prediction) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in prediction.calls:
        found[one.route] = found.get(one.route, 0) + one.calls
    return found


async def test_the_demo_is_rehearsed_to_its_last_suspension(tmp_path: Path):
    """Everybody who can move does, over several days, and those who stay behind are explained."""
    prediction = await rehearse(await folded(demo_world.build(), tmp_path), with_acceptance(AT_ONCE, "spread:3d"))
    assert prediction.is_good
    assert len(prediction.moved_at) == prediction.to_move == prediction.phases["moved"]
    assert {one.code for one in prediction.unmoved} == {"offer_not_sold", "outside_region", "unknown_status"}
    assert prediction.ends_at is not None
    assert timedelta(days=2) < prediction.ends_at - prediction.begins_at < timedelta(days=4)
    assert sum(day.customers_moved for day in prediction.days) == prediction.to_move
    assert sum(day.calls for day in prediction.days) == prediction.total_calls == prediction.timeline[-1].calls
    limited = [one for one in prediction.calls if one.route.endswith(("orders", "orders/{order}", "subscription}"))]
    buckets = sum(one.calls for one in prediction.buckets)
    assert sum(one.calls for one in limited) < buckets <= prediction.total_calls


async def test_the_same_seed_predicts_the_same_and_another_seed_something_else(tmp_path: Path):
    """A prediction can be checked by making it again."""
    given = await folded(_small(), tmp_path)
    script = with_acceptance(AT_ONCE, "spread:1d")
    first = await rehearse(given, script)
    assert await rehearse(given, script) == first
    assert (await rehearse(given, replace(script, seed=2))).moved_at != first.moved_at


async def test_it_foresees_an_offer_that_somebody_stopped_selling(tmp_path: Path):
    """What the plan could not know when it was made, the newest catalog shows: the customer fails before it happens."""
    world = _small()
    given = await folded(world, tmp_path)
    victim = next(one for one in world.subscriptions.values() if one.status == "active" and not one.is_trial)

    async with (
        Store.open(given.url) as store,
        prepared(store, given.settings, given.tenants, world.started_at, AT_ONCE, Silent()) as rehearsal,
    ):
        rehearsal.twin.world.offers[victim.offer_id].is_available_for_purchase = False
        prediction = await asyncio.to_thread(play, rehearsal, Silent(), StopSign())
    failed = {one.customer_id: one for one in prediction.unmoved}
    assert victim.customer_id in failed
    assert failed[victim.customer_id].phase == "failed"
    assert "2091" in failed[victim.customer_id].reason
    assert failed[victim.customer_id].next_action
    assert prediction.truth.is_clean


async def test_faults_of_a_file_strike_the_twin_and_nothing_is_lost(tmp_path: Path):
    """Lost answers cost time and calls, and neither twin nor gap."""
    given = await folded(_small(), tmp_path)
    file = tmp_path / "faults.toml"
    file.write_text(
        '[[faults]]\nkind = "lost_answer"\nroute = "POST /v1/customers/{customer}/orders"\ncount = 2\n'
        '[[faults]]\nkind = "server_error"\nprobability = 0.05\n'
    )
    calm = await rehearse(given)
    rough = await rehearse(given, replace(AT_ONCE, faults=read_faults(file), faults_name=file.name))
    assert rough.truth.is_clean
    assert rough.truth.failed_calls
    assert rough.total_calls > calm.total_calls
    assert rough.over_at > calm.over_at
    assert rough.conditions.faults == "faults.toml"


def test_a_fault_file_that_means_nothing_is_refused(tmp_path: Path):
    """A missing file and an unknown member are sentences for whoever wrote them."""
    with pytest.raises(InputError, match="could not be read"):
        read_faults(tmp_path / "nowhere.toml")
    file = tmp_path / "faults.toml"
    file.write_text('[[faults]]\nkind = "gremlins"\n')
    with pytest.raises(InputError, match="gremlins"):
        read_faults(file)


async def test_nobody_who_has_not_accepted_moves_by_hand(tmp_path: Path):
    """By hand means by nobody: the prediction says who is waited for, and that this is explained."""
    prediction = await rehearse(await folded(_small(), tmp_path), with_acceptance(AT_ONCE, "by-hand"))
    assert prediction.ends_at is None
    assert not prediction.moved_at
    assert {one.phase for one in prediction.unmoved} == {"planned"}
    assert all("invite" in one.next_action for one in prediction.unmoved)
    assert prediction.is_good


async def test_the_real_ledger_gets_one_row_and_nothing_else(tmp_path: Path):
    """Rehearsing reads it; keeping the prediction adds that row. The log and logging are as before."""
    given = await folded(_small(), tmp_path)
    before = await _everything(given)
    configured = structlog.get_config()
    async with Store.open(given.url) as store:
        prediction = await rehearse(given)
        assert await _everything(given) == before
        await keep(store, prediction, given.world.started_at)
        plan = await store.newest_plan()
        assert plan is not None
        stored = await newest_rehearsal(store, plan)
    assert stored is not None
    assert stored.prediction == prediction
    assert await _everything(given) == before
    assert structlog.get_config() == configured


async def _everything(given: Folded) -> object:
    async with Store.open(given.url) as store:
        rows = {name: [row async for row in store.rows(name)] for name in RowSet}
        return rows, await store.newest_plan(), await store.events(), await store.phase_counts()


async def test_an_unapproved_plan_is_rehearsed_as_a_draft_only(tmp_path: Path):
    """Rehearsing never approves; it says that it was a draft."""
    given = await folded(_small(), tmp_path, approved=False)
    with pytest.raises(PlanNotApprovedError, match="not approved"):
        await rehearse(given)
    prediction = await rehearse(given, replace(AT_ONCE, draft=True))
    assert prediction.conditions.is_draft
    assert prediction.moved_at
    async with Store.open(given.url) as store:
        plan = await store.newest_plan()
        assert plan is not None
        assert plan.approved_at is None


async def test_a_stopped_rehearsal_is_not_complete_and_its_folder_is_gone(tmp_path: Path):
    """Whatever was found until then is no prediction."""
    given = await folded(_small(), tmp_path)
    async with (
        Store.open(given.url) as store,
        prepared(store, given.settings, given.tenants, given.world.started_at, AT_ONCE, Silent()) as one,
    ):
        folder = one.folder
        prediction = await asyncio.to_thread(play, one, Silent(), StopSign(raised=True))
    assert not prediction.is_complete
    assert not prediction.is_good
    assert not folder.exists()


async def test_a_start_before_the_inventory_is_refused(tmp_path: Path):
    """Nobody knows what the world was before it was read."""
    given = await folded(_small(), tmp_path)
    with pytest.raises(InputError, match="cannot begin"):
        await rehearse(given, replace(AT_ONCE, starts_at=given.world.started_at - timedelta(days=1)))


async def test_prediction_and_real_run_of_the_demo_agree(tmp_path: Path):
    """The same customers move with the same calls by route; only the agreement's calls no inventory can know."""
    given = await folded(demo_world.build(), tmp_path)
    prediction = await rehearse(given)
    async with Store.open(given.url) as store:
        await keep(store, prediction, given.world.started_at)
    for customer in given.world.customers.values():
        customer.acceptance = Manner(kind="now")
    calls, phases = await _really(given)
    predicted = _by_route(prediction)
    known = {route: count for route, count in predicted.items() if "agreement" not in route.lower()}
    for route, count in known.items():
        assert calls.get(route, 0) == pytest.approx(count, rel=0.03, abs=1), route
    assert sum(calls.get(route, 0) for route in known) == pytest.approx(sum(known.values()), rel=0.03)
    assert phases["moved"] == prediction.phases["moved"]
    async with Store.open(given.url) as store:
        plan = await store.newest_plan()
        assert plan is not None
        rehearsal = await newest_rehearsal(store, plan)
        assert rehearsal is not None
        found = await compare(store, plan, rehearsal, given.world.started_at + timedelta(days=1))
    assert (found.moved, found.moved_predicted) == (phases["moved"], phases["moved"])
    assert found.delay_seconds < 120
    assert found.calls == sum(calls.values())
    assert (found.late, found.failed) == (found.late_predicted, found.failed_predicted) == (0, 0)
    assert (
        found.unmoved == found.unmoved_predicted == sum(phases.values()) - phases["moved"] - phases["nothing_to_move"]
    )


async def test_a_move_that_has_begun_is_rehearsed_to_its_end(tmp_path: Path):
    """What the first runs did since the inventory is in the twin: only the others move, and nobody twice."""
    given = await folded(_small(), tmp_path)
    ids = sorted(given.world.customers)
    _, phases = await _really(given, ids[: len(ids) // 2])
    prediction = await rehearse(given)
    assert prediction.is_good
    assert phases["moved"]
    assert len(prediction.moved_at) == prediction.to_move - phases["moved"] > 0
    assert prediction.phases["moved"] == prediction.to_move
    assert any("the ledger knows" in one.text for one in prediction.assumptions)


async def _really(given: Folded, accepting: Sequence[str] = ()) -> tuple[dict[str, int], dict[str, int]]:
    """Let these (or all) customers accept and run the real plan on the real world; its calls by route, the phases."""

    async def work() -> tuple[dict[str, int], dict[str, int]]:
        world = given.world
        target = next(one for one in world.partner_tenants.values() if one.key == "target")
        for customer_id in accepting or world.customers:
            if f"{target.id}/{customer_id}" not in world.relationships:
                world.pending_acceptances[f"{target.id}/{customer_id}"] = world.started_at
        stage = Stage(world, given.folder)
        async with stage.program() as program:
            async with CallLog(program.store, program.clock, program.calls).kept():
                summary = await local_run(program.cutover(), RunOptions(), Silent(), StopSign()).go()
            return dict(program.calls), {phase.value: count for phase, count in summary.phases.items()}

    return await on_virtual_time(work)


async def test_waves_begin_at_their_time_and_nobody_before(tmp_path: Path):
    """A scheduled wave starts on its day; customers of a wave without a time stay behind, and it is said why."""
    given = await folded(_small(), tmp_path)
    ids = [CustomerId(one) for one in sorted(given.world.customers)]
    starts_at = given.world.started_at + timedelta(days=2)

    async def plan_waves() -> None:
        stage = Stage(given.world, given.folder)
        async with stage.program() as program:
            desk = program.wave_desk()
            await desk.create("first", ids[:4], "tester")
            await desk.create("second", ids[4:], "tester")
            await desk.schedule("first", starts_at, Approval(by="tester"))

    await on_virtual_time(plan_waves)
    prediction = await rehearse(given)
    assert prediction.moved_at
    assert min(prediction.moved_at) >= starts_at
    assert prediction.begun_at is not None
    assert prediction.begun_at.date() == date(2026, 3, 4)
    held = [one for one in prediction.unmoved if "Held" in one.reason]
    assert held
    assert all("wave" in one.reason for one in held)


def test_every_script_says_its_conditions():
    """What a prediction was made under stands in it."""
    conditions = replace(AT_ONCE, latency_seconds=1.5, seed=7, draft=True, faults_name="bad.toml").conditions
    assert (conditions.acceptance, conditions.latency_seconds, conditions.seed) == ("at-once", 1.5, 7)
    assert (conditions.is_draft, conditions.faults) == (True, "bad.toml")
    assert isinstance(AT_ONCE, Script)

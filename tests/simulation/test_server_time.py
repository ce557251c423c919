"""Microsoft's time when the laptop's is wrong: nothing begins or ends by a clock that nobody confirmed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from partner_center_emulator.seed import generate_world
from tenantfold.bootstrap import Program
from tenantfold.dispatch.local import local_run
from tenantfold.errors import UnavailableError
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import StopSign
from tenantfold.flow.run import RunOptions
from tenantfold.flow.waves import Approval, WaveKeeper
from tenantfold.simulation.stage import Stage, StageOptions
from tests.simulation.rehearsed import Folded, folded, on_virtual_time

TWO_DAYS = timedelta(days=2)


class NoHead(httpx2.AsyncBaseTransport):
    """A way to Partner Center on which so many questions for the time are refused; counts all requests."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, refusals: int) -> None:
        self.left = refusals
        self.methods: list[str] = []
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Refuse the connection, or pass the request on."""
        self.methods.append(request.method)
        if request.method == "HEAD" and self.left:
            self.left -= 1
            raise httpx2.ConnectError("Connection refused", request=request)
        return await self._inner.handle_async_request(request)


def _stage(given: Folded, ahead: timedelta) -> Stage:
    """The partner on a machine whose clock is wrong."""
    return Stage(given.world, given.folder, StageOptions(laptop_ahead=ahead))


async def _run(program: Program) -> None:
    """What the command does."""
    await program.follow_server_time(required=True)
    await local_run(program.cutover(), RunOptions(), Silent(), StopSign()).go()


async def _accepted(tmp_path: Path) -> Folded:
    """An approved plan; everybody accepts at once."""
    given = await folded(generate_world(3, 4), tmp_path)
    target = next(one for one in given.world.partner_tenants.values() if one.key == "target")
    for customer_id in given.world.customers:
        if f"{target.id}/{customer_id}" not in given.world.relationships:
            given.world.pending_acceptances[f"{target.id}/{customer_id}"] = given.world.started_at
    return given


@pytest.mark.parametrize("ahead", [TWO_DAYS, -TWO_DAYS])
async def test_a_run_that_cannot_learn_the_time_says_so_and_does_nothing(tmp_path: Path, ahead: timedelta):
    """No call but the questions for the time, no alarm, no phase moves; when Partner Center is back, all is well."""
    given = await _accepted(tmp_path)

    async def work() -> None:
        stage = _stage(given, ahead)
        wire = NoHead(stage.network, 3)
        async with stage.program(transport=wire) as program:
            before = await program.store.phase_counts()
            with pytest.raises(UnavailableError, match="did not say what time it is") as caught:
                await _run(program)
            assert "Connection refused" in caught.value.message
            assert "Check the network" in caught.value.next_step
            assert wire.methods == ["HEAD", "HEAD", "HEAD"]
            assert await program.store.phase_counts() == before
        async with stage.program(transport=wire) as program:
            await _run(program)
            assert {event.at.date() for event in await program.store.events(name="cutover.customer.moved")} == {
                given.world.started_at.date()
            }
            assert not await program.store.events(name="alarm.cutover_late")

    await on_virtual_time(work)


async def test_a_question_that_is_refused_is_asked_again(tmp_path: Path):
    """Two refusals are bad luck; the third answer counts."""
    given = await folded(generate_world(3, 4), tmp_path)

    async def work() -> None:
        stage = _stage(given, TWO_DAYS)
        async with stage.program(transport=NoHead(stage.network, 2)) as program:
            await program.follow_server_time(required=True)
            assert abs(program.clock.now() - stage.now()) < timedelta(seconds=2)

    await on_virtual_time(work)


async def test_a_time_that_is_known_is_enough(tmp_path: Path):
    """Whoever heard Partner Center once counts on by himself: a later refusal stops nothing."""
    given = await folded(generate_world(3, 4), tmp_path)

    async def work() -> None:
        stage = _stage(given, TWO_DAYS)
        wire = NoHead(stage.network, 0)
        async with stage.program(transport=wire) as program:
            await program.follow_server_time()
            wire.left = 9
            await program.follow_server_time(required=True)
            assert abs(program.clock.now() - stage.now()) < timedelta(seconds=2)

    await on_virtual_time(work)


async def test_planning_works_without_partner_center(tmp_path: Path):
    """Not required, the machine's clock stands."""
    given = await folded(generate_world(3, 4), tmp_path)

    async def work() -> None:
        stage = _stage(given, TWO_DAYS)
        wire = NoHead(stage.network, 9)
        async with stage.program(transport=wire) as program:
            await program.follow_server_time()
            assert wire.methods == ["HEAD"]
            assert abs(program.clock.now() - stage.now() - TWO_DAYS) < timedelta(seconds=2)

    await on_virtual_time(work)


async def test_an_answer_without_a_time_is_none(tmp_path: Path):
    """A proxy's error page says nothing about Microsoft's clock."""
    given = await folded(generate_world(3, 4), tmp_path)

    async def work() -> None:
        stage = _stage(given, TWO_DAYS)
        proxy = httpx2.MockTransport(lambda _request: httpx2.Response(503))
        async with stage.program(transport=proxy) as program:
            with pytest.raises(UnavailableError, match="answers 503 without a time"):
                await program.follow_server_time(required=True)

    await on_virtual_time(work)


@pytest.mark.parametrize("ahead", [TWO_DAYS, -TWO_DAYS])
async def test_a_run_that_waits_starts_the_wave_of_the_next_morning(tmp_path: Path, ahead: timedelta):
    """``wave schedule`` and ``run --wait``, as the how-to pairs them; everybody accepted, and the laptop is wrong."""
    given = await _accepted(tmp_path)

    async def work() -> None:
        stage = _stage(given, ahead)
        starts_at = stage.now() + timedelta(hours=6)
        async with stage.program() as program:
            await program.follow_server_time(required=True)
            desk = program.wave_desk()
            await desk.create("morning", await program.store.wave_candidates(), "tester")
            await desk.schedule("morning", starts_at, Approval(by="tester"))
            waves = WaveKeeper(program.wave_desk())
            options = RunOptions(
                wait=timedelta(hours=8),
                before_look=waves.keep,
                next_start_at=waves.next_start_at,
                before_poll=program.follow_server_time,
            )
            await local_run(program.cutover(), options, Silent(), StopSign()).go()
            moved = await program.store.events(name="cutover.customer.moved")
            assert moved
            assert all(starts_at <= event.at < starts_at + timedelta(hours=1) for event in moved)

    await on_virtual_time(work)

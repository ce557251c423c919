"""Fixtures of the contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from partner_center_emulator import demo_world
from partner_center_emulator.emulator import Options
from partner_center_emulator.world import World
from tests.contract.stage import OpenStage, Stage


@pytest.fixture
async def open_stage() -> AsyncIterator[OpenStage]:
    """A maker of stages whose HTTP clients are closed afterwards."""
    opened: list[Stage] = []

    async def make(world: World | None = None, **options: object) -> Stage:
        opened.append(Stage(world or demo_world.build(), Options(**options)))  # type: ignore[arg-type]  # by name
        return opened[-1]

    yield make
    for stage in opened:
        await stage.http.aclose()


@pytest.fixture
async def stage(open_stage: OpenStage) -> Stage:
    """The demo's world."""
    return await open_stage(strict=True)

"""Making, saving and loading worlds (state room); the generators themselves are ``seed.py`` and ``demo_world.py``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from partner_center_emulator import demo_world
from partner_center_emulator.clock import DEFAULT_START
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.seed import generate_world
from partner_center_emulator.seed.mixed import mixed_world
from partner_center_emulator.world import World

Kind = Literal["generated", "demo", "mixed"]


def make(
    kind: Kind, number: int, customers: int, start: datetime = DEFAULT_START, *, new_commerce_share: float = 0.0
) -> World:
    """Return a new world: generated or mixed from a seed and a size, or the demo's.

    Raises ValueError for bad numbers.
    """
    if customers < 0:
        raise ValueError("The number of customers must not be negative.")
    if kind == "demo":
        return demo_world.build(start)
    if kind == "mixed":
        return mixed_world(number, customers, start)
    return generate_world(number, customers, start, new_commerce_share=new_commerce_share)


def snapshot(emulator: Emulator) -> World:
    """Return the emulator's world with the clock's reading in it; it is the world itself, not a copy."""
    emulator.world.clock_at = emulator.clock.now()
    return emulator.world


def save(emulator: Emulator, path: Path) -> None:
    """Write the world to a file, whole or not at all."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_bytes(msgspec.json.encode(snapshot(emulator)))
    draft.replace(path)


def load(path: Path) -> World:
    """Return the world of a snapshot file; raises OSError or msgspec.ValidationError."""
    return msgspec.json.decode(path.read_bytes(), type=World)

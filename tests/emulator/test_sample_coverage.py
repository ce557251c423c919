"""Every published sample is compared with an answer of the emulator by some test here, or is listed with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from partner_center_emulator.left_out import SAMPLES_WITHOUT_ROUTE

HERE = Path(__file__).parent


def test_every_sample_is_compared_by_a_test_or_listed_with_a_reason():
    """The name of a sample stands in a test module of this folder, or in the table of what is left out."""
    folder = os.environ.get("TENANTFOLD_WIRE_SAMPLES")
    if not folder:
        pytest.skip("TENANTFOLD_WIRE_SAMPLES is not set")
    names = {path.stem for path in Path(folder).glob("*.json")}
    tests = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py") if path != Path(__file__))
    compared = {name for name in names if f'"{name}"' in tests}
    assert names - compared - set(SAMPLES_WITHOUT_ROUTE) == set()
    assert set(SAMPLES_WITHOUT_ROUTE) - names == set()
    assert all(SAMPLES_WITHOUT_ROUTE.values())

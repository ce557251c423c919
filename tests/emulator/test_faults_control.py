"""Fault plans as files and through the control plane."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from partner_center_emulator.cli import app, with_values
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import plan as plans

TOML = """
seed = 9

[[faults]]
kind = "server_error"
route = "GET /v1/customers/*"
probability = 0.25

[[faults]]
kind = "server_error"
count = 2
begins_at = 2026-03-02T09:00:00Z

[[faults]]
name = "weather"
kind = "throttle_storm"
seconds = 12.5
"""


def test_reads_a_plan_from_toml(tmp_path: Path):
    """Names are made from the kind; times and numbers arrive as what they are."""
    file = tmp_path / "plan.toml"
    file.write_text(TOML)
    plan = plans.read_file(file)
    assert [fault.name for fault in plan.faults] == ["server_error-1", "server_error-2", "weather"]
    assert (plan.seed, plan.faults[2].seconds, plan.faults[1].count) == (9, 12.5, 2)
    assert plan.faults[1].begins_at is not None
    assert plan.faults[1].begins_at.tzinfo is not None


@pytest.mark.parametrize(
    "text",
    [
        "seed = [",
        "sead = 1",
        "\xff",
        '[[faults]]\nkind = "earthquake"',
        '[[faults]]\nkind = "reset"\nprobabillity = 1',
        '[[faults]]\nkind = "reset"\nprobability = 2',
        '[[faults]]\nkind = "reset"\nprobability = nan',
        '[[faults]]\nkind = "latency"\nseconds = -1',
        '[[faults]]\nkind = "latency"\nseconds = inf',
        '[[faults]]\nkind = "latency"\ndistribution = "pareto"',
        '[[faults]]\nkind = "server_error"\nstatus = 200',
        '[[faults]]\nkind = "duplicate_webhook"\ncopies = 1000000',
        '[[faults]]\nkind = "reset"\nbegins_at = 2026-03-02T09:00:00',
        '[[faults]]\nkind = "reset"\nname = "a"\n[[faults]]\nkind = "latency"\nname = "a"',
    ],
)
def test_refuses_a_plan_with_a_sentence(text: str):
    """Whatever is wrong is said in words."""
    with pytest.raises(plans.PlanError, match=r"\.$"):
        plans.read_toml(text.encode("latin-1"))


def test_serve_refuses_a_bad_plan(tmp_path: Path):
    """Exit code 2 and a sentence, as for every other bad option."""
    file = tmp_path / "plan.toml"
    file.write_text('[[faults]]\nkind = "earthquake"')
    for name in (file, tmp_path / "nothing.toml"):
        result = CliRunner().invoke(app, ["serve", "--port", "0", "--customers", "1", "--faults", str(name)])
        assert (result.exit_code, "cannot start" in result.output) == (2, True)


def test_strict_alone_means_record():
    """The switch takes a value or none."""
    assert with_values(["serve", "--strict"]) == ["serve", "--strict=record"]
    assert with_values(["--strict", "--frozen"]) == ["--strict=record", "--frozen"]
    assert with_values(["--strict", "fail"]) == ["--strict", "fail"]
    assert with_values(["--strict=fail"]) == ["--strict=fail"]
    assert with_values([]) == []


async def test_a_plan_is_posted_read_switched_and_taken_away(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """JSON and TOML; every answer is the plan with its counters."""
    path = "/_emulator/faults"
    assert (await anonymous.get(path)).json() == {"seed": 0, "faults": []}
    posted = (await anonymous.post(path, json={"seed": 3, "faults": [{"kind": "reset"}]})).json()
    assert posted == {"seed": 3, "faults": [{"kind": "reset", "name": "reset-1", "matched": 0, "fired": 0}]}
    added = (await anonymous.post(path, json={"add": [{"kind": "reset"}], "disable": ["reset-1"]})).json()
    assert [(row["name"], row.get("enabled", True)) for row in added["faults"]] == [
        ("reset-1", False),
        ("reset-2", True),
    ]
    on = (await anonymous.post(path, json={"enable": ["reset-1"]})).json()
    assert all(row.get("enabled", True) for row in on["faults"])
    toml = await anonymous.post(path, content=TOML.encode(), headers={"Content-Type": "application/toml"})
    assert (toml.json()["seed"], len(toml.json()["faults"])) == (9, 3)
    assert (await anonymous.delete(path)).json() == {"seed": 0, "faults": []}
    assert emulator.world.behaviour.faults.plan.faults == []


@pytest.mark.parametrize(
    "order", [{"faults": [{"kind": "x"}]}, {"enable": ["x"]}, {"add": [{"kind": "reset", "probability": -1}]}, {"x": 1}]
)
async def test_bad_orders_are_400_with_a_sentence(anonymous: httpx2.AsyncClient, order: dict[str, object]):
    """Nothing is changed."""
    answer = await anonymous.post("/_emulator/faults", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert (await anonymous.get("/_emulator/faults")).json()["faults"] == []


async def test_broken_toml_is_400(anonymous: httpx2.AsyncClient):
    """The sentence says what is wrong."""
    answer = await anonymous.post("/_emulator/faults", content=b"[", headers={"Content-Type": "application/toml"})
    assert (answer.status_code, "TOML" in answer.json()["error"] or "read" in answer.json()["error"]) == (400, True)

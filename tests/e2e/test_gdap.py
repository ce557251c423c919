"""Delegated admin access with the real commands: requested, approved, given; once, whatever is lost."""

from __future__ import annotations

import contextlib
import io
import json
import signal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from tenantfold.cli import app
from tests.e2e.conftest import Bench

BAD_INPUT, UNFINISHED, INTERRUPTED = 2, 6, 130
LIST = "/graph/v1.0/tenantRelationships/delegatedAdminRelationships"
CREATE, LOCK = f"POST {LIST}", f"POST {LIST}/{{relationship}}/requests"
SETTLING_SECONDS = 3600


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """An approved plan, and settings that ask for delegated admin access for the helpdesk's group."""
    world = bench.world.get("snapshot")
    target = next(one for one in world["partner_tenants"].values() if one["key"] == "target")
    group = uuid5(NAMESPACE_URL, f"{target['id']}/helpdesk_agent")
    bench.settings("# settling_seconds = 900", f"settling_seconds = {SETTLING_SECONDS}")
    bench.settings('# gdap_request = "no"', 'gdap_request = "yes"')
    bench.settings("# groups = []", f'groups = ["{group}: Service support administrator, Directory readers"]')
    bench.approved_plan()
    return bench


def relationships(bench: Bench) -> dict[str, Any]:
    """All relationships there are at Microsoft, by id."""
    found: dict[str, Any] = bench.world.get("snapshot")["gdap"]["relationships"]
    return found


def customers(bench: Bench) -> list[str]:
    """Who is to move."""
    listed = bench.good("status", "--all")["customers"]
    return [one["customer_id"] for one in listed if one["phase"] == "planned"]


def command(bench: Bench, *words: str) -> Any:  # noqa: ANN401  # JSON
    """Run a command that may leave somebody waiting, and take its document."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = app([*words, "--json", "--config", str(bench.folder / "tenantfold.toml")], standalone_mode=False) or 0
    assert code in {0, UNFINISHED}, out.getvalue()
    return json.loads(out.getvalue())


def of(customer_id: str, made: dict[str, Any]) -> list[Any]:
    """The relationships with one customer."""
    return [one for one in made.values() if one["customer_id"] == customer_id]


def test_requested_approved_and_given_to_the_groups(ready: Bench) -> None:
    """Everybody to move gets one relationship and one letter; who approves is active with its group, others wait."""
    to_move = len(ready.good("gdap", "request")["letters"])
    made = relationships(ready)
    assert len(made) == to_move == len({one["customer_id"] for one in made.values()})
    assert {one["status"] for one in made.values()} == {"approvalPending"}
    assert ready.good("gdap", "request")["letters"] == []
    assert len(relationships(ready)) == to_move
    first = next(iter(made.values()))
    (row,) = [one for one in ready.good("gdap", "list")["customers"] if one["customer_id"] == first["customer_id"]]
    assert (row["condition"], row["owner"]) == ("waits_for_customer", "customer")
    letter = Path(row["letter"]).read_text()
    assert row["link"] in letter
    assert row["link"].endswith(first["id"])
    assert "Service support administrator" in letter
    ready.world.post(f"gdap/{first['id']}/approve", {})
    ready.world.post("clock", {"advance_seconds": 60})
    command(ready, "gdap", "check")
    ready.world.post("clock", {"advance_seconds": 60})
    looked = command(ready, "gdap", "check")
    assert looked["conditions"] == {"waits_for_customer": to_move - 1, "active": 1}
    (active,) = [one for one in ready.good("gdap", "list")["customers"] if one["condition"] == "active"]
    (assignment,) = relationships(ready)[first["id"]]["assignments"].values()
    assert (active["customer_id"], active["groups"]) == (first["customer_id"], [assignment["group_id"]])
    assert assignment["status"] == "active"
    events = ready.good("explain", first["customer_id"])["events"]
    assert {"gdap.waits_for_customer", "gdap.active"} <= {one["name"] for one in events}
    calls = ready.world.get("ledger")["calls"]
    assert calls[f"GET {LIST}/{{relationship}}/accessAssignments"]["calls"] <= 3


def test_a_lost_answer_never_makes_a_second_relationship(ready: Bench) -> None:
    """With or without effect: it is looked up, and only what surely had none is sent again, after the settling time."""
    faults = [
        {"route": route, "count": 1, **kind}
        for route in (CREATE, LOCK)
        for kind in ({"kind": "lost_answer"}, {"kind": "reset", "effect": "before"})
    ]
    hit = customers(ready)[: len(faults)]
    for customer, fault in zip(hit, faults, strict=True):
        ready.world.post("faults", {"faults": [fault]})
        command(ready, "gdap", "request", "--customer", customer)
        command(ready, "gdap", "request", "--customer", customer)
        assert len(of(customer, relationships(ready))) <= 1
    ready.world.post("faults", {"faults": []})
    ready.world.post("clock", {"advance_seconds": SETTLING_SECONDS + 60})
    ready.good("gdap", "request")
    made = relationships(ready)
    assert {len(of(customer, made)) for customer in customers(ready)} == {1}
    assert {one["status"] for one in made.values()} == {"approvalPending"}
    rows = ready.good("gdap", "list")["customers"]
    assert {one["condition"] for one in rows} == {"waits_for_customer"}
    assert all(Path(one["letter"]).exists() for one in rows)


def test_killed_between_the_intent_and_the_answer_it_goes_on(ready: Bench) -> None:
    """SIGKILL while the call is at Microsoft: the effect is found by its name, and nothing is made twice."""
    customer = customers(ready)[0]
    slow = {"name": "slow", "kind": "latency", "route": CREATE, "seconds": 60, "passing": "real"}
    ready.world.post("faults", {"faults": [slow]})
    process = ready.start("gdap", "request", "--customer", customer)
    while process.poll() is None and not any(one["fired"] for one in ready.world.get("faults")["faults"]):
        pass
    process.kill()
    process.communicate()
    ready.world.post("faults", {"faults": []})
    (before,) = command(ready, "gdap", "check")["customers"]
    assert before["condition"] in {"settling", "waits_for_customer"}
    ready.world.post("clock", {"advance_seconds": SETTLING_SECONDS + 60})
    (row,) = command(ready, "gdap", "request", "--customer", customer)["customers"]
    assert row["condition"] == "waits_for_customer"
    assert len(relationships(ready)) == 1


def test_ctrl_c_ends_in_order_and_the_next_request_goes_on(ready: Bench) -> None:
    """Exit code 130; afterwards everybody has one relationship."""
    ready.settings("# in_flight = 64", "in_flight = 2")
    ready.slow_down(CREATE, after=4, seconds=0.2)
    process = ready.start("gdap", "request")
    while process.poll() is None and len(relationships(ready)) < 6:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED, out + err
    ready.world.post("faults", {"faults": []})
    half = relationships(ready)
    ready.good("gdap", "request")
    made = relationships(ready)
    assert len(half) < len(made) == len({one["customer_id"] for one in made.values()})
    assert {one["status"] for one in made.values()} == {"approvalPending"}


def test_what_the_settings_forbid_or_name_wrong_is_refused_before_any_call(bench: Bench) -> None:
    """The policy says no; a role nobody knows; Global administrator with extension: one clear sentence each."""
    code, said = bench.refused("gdap", "request")
    assert (code, "policy.gdap_request" in said) == (BAD_INPUT, True)
    bench.settings('# gdap_request = "no"', 'gdap_request = "yes"')
    roles = '# roles = ["Service support administrator", "Directory readers"]'
    bench.settings(roles, 'roles = ["Service support admin"]')
    code, said = bench.refused("gdap", "check")
    assert code == BAD_INPUT
    assert "Did you mean Service support administrator?" in said
    bench.settings("Service support admin", "Global administrator")
    bench.settings('# auto_extend = "no"', 'auto_extend = "yes"')
    code, said = bench.refused("gdap", "request")
    assert (code, "R-105" in said) == (BAD_INPUT, True)
    assert bench.world.get("ledger")["totals"]["calls"] == 0


def test_a_relationship_in_doubt_holds_nobody_back(ready: Bench) -> None:
    """Its call has no outcome all the while: the customer moves, and nothing of it is stranded (R-107)."""
    customer = customers(ready)[0]
    ready.world.post("faults", {"faults": [{"route": CREATE, "kind": "reset", "effect": "before", "count": 1}]})
    (row,) = command(ready, "gdap", "request", "--customer", customer)["customers"]
    assert row["condition"] == "settling"
    ready.good("invite")
    ready.mails_arrive()
    command(ready, "run")
    (moved,) = [one for one in ready.good("status", "--all")["customers"] if one["customer_id"] == customer]
    assert moved["phase"] == "moved"
    assert ready.good("stranded")["stranded"] == []
    totals = ready.world.get("ledger")["totals"]
    assert (totals["twins"], totals["gaps"]) == (0, 0)
    assert relationships(ready) == {}

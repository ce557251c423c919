"""A person settles a call whose answer was lost, with the real commands; the truth ledger is the judge."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

from tenantfold.demo.small import AGREED_ON
from tests.e2e.conftest import Bench

BAD_INPUT, NOT_READY, UNFINISHED = 2, 3, 6
ORDERS = "POST /v1/customers/{customer}/orders"
LISTS = "GET /v1/customers/{customer}/subscriptions"
BY_HAND = "00000000-0000-4000-8000-00000000c0de"
HAND_ORDER = "00000000-0000-4000-8000-0000000c0de5"
SIGNED = ("--by", "Ingrid Holm", "--reason", "compared with the mail of the account manager")


def plain_customer(bench: Bench) -> dict[str, Any]:
    """A customer of the demo world with one active subscription and no difficulty."""
    world = bench.world.get("snapshot")
    held = Counter(one["customer_id"] for one in world["subscriptions"].values())
    odd = set(bench.world.get("cast").values())
    active = {one["customer_id"] for one in world["subscriptions"].values() if one["status"] == "active"}
    return next(
        one
        for one in world["customers"].values()
        if held[one["id"]] == 1 and one["id"] in active and one["id"] not in odd
    )


def plan_for(bench: Bench, customer: dict[str, Any]) -> None:
    """An approved plan for one customer, who accepts."""
    bench.settings("# settling_seconds = 900", "settling_seconds = 3600")  # longer than a run waits
    bench.good("inventory")
    with (bench.folder / "one.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("customer_id", "company_name", "contact_first_name", "contact_last_name", "contact_email", "agreed_on")
        )
        names = (customer["company_name"], customer["first_name"], customer["last_name"], customer["email"])
        writer.writerow((customer["id"], *names, AGREED_ON))
    plan = bench.good("plan", "--customers", str(bench.folder / "one.csv"))["plan"]
    bench.good("approve", plan["checksum"][:12], "--by", "tester")
    bench.good("invite")
    bench.mails_arrive()


def killed_in_doubt(bench: Bench, kind: str, **measures: object) -> None:
    """The answer to the order is lost, and the process is killed before it can look what became of it."""
    slow = {"kind": "latency", "route": LISTS, "tenants": ["target"], "skip": 1, "seconds": 60, "passing": "real"}
    lost = {"name": "lost", "kind": kind, "route": ORDERS, "count": 1, **measures}
    bench.world.post("faults", {"faults": [lost, slow]})
    process = bench.start("run")
    while process.poll() is None and not _fired(bench):
        pass
    process.kill()
    process.communicate()
    bench.world.post("faults", {"faults": []})


def _fired(bench: Bench) -> bool:
    return any(one["name"] == "lost" and one["fired"] for one in bench.world.get("faults")["faults"])


def order_by_hand(bench: Bench, customer_id: str) -> str:
    """Somebody orders in the portal what we ordered as well; the id of ours."""
    world = bench.world.get("snapshot")
    target = next(one["id"] for one in world["partner_tenants"].values() if one["key"] == "target")
    (ours,) = [
        one
        for one in world["subscriptions"].values()
        if (one["tenant_id"], one["customer_id"]) == (target, customer_id)
    ]
    world["subscriptions"][BY_HAND] = ours | {"id": BY_HAND, "order_id": HAND_ORDER}
    bench.world.post("snapshot", world)
    return str(ours["id"])


def test_a_person_chooses_among_two_candidates(bench: Bench) -> None:
    """The list shows both with their orders; the wrong decisions are refused; the right one is kept and carried on."""
    customer = plain_customer(bench)
    plan_for(bench, customer)
    killed_in_doubt(bench, "lost_answer")
    ours = order_by_hand(bench, customer["id"])
    early = bench.good("stranded")["stranded"]
    assert early[0]["outlook"]["needs_person"] is False
    bench.world.post("clock", {"advance_seconds": 3700})
    code, said = bench.refused("stranded")
    assert code == UNFINISHED
    for word in (ours, BY_HAND, HAND_ORDER, "request id", "It needs a person"):
        assert word in said, said
    for option in ("--resend", "--abandon"):
        code, said = bench.refused("stranded", customer["id"], option, *SIGNED)
        assert code == NOT_READY, said
        assert "nothing was changed" in said
    code, said = bench.refused("stranded", customer["id"], "--adopt", ours)
    assert code == BAD_INPUT
    assert "--by" in said
    settled = bench.good("stranded", customer["id"], "--adopt", ours, *SIGNED)["settled"]
    assert settled["outcome"]["order_id"] != HAND_ORDER
    events = bench.good("explain", customer["id"])["events"]
    assert any(one["name"] == "stranded.adopt" and one["facts"]["by"] == "Ingrid Holm" for one in events)
    assert bench.good("stranded")["stranded"] == []
    bench.good("run")
    assert bench.world.get("ledger")["totals"]["gaps"] == 0


def test_what_surely_had_no_effect_is_sent_again_or_given_up(bench: Bench) -> None:
    """Not before the settling time; then it is one order, and the customer moves without twin and gap."""
    customer = plain_customer(bench)
    plan_for(bench, customer)
    killed_in_doubt(bench, "reset", effect="before")
    code, said = bench.refused("stranded", customer["id"], "--resend", *SIGNED)
    assert code == NOT_READY
    assert "nothing was changed" in said
    bench.world.post("clock", {"advance_seconds": 3700})
    settled = bench.good("stranded", customer["id"], "--resend", *SIGNED)["settled"]
    assert settled["outcome"]["kind"] == "done"
    bench.good("run")
    totals = bench.world.get("ledger")["totals"]
    assert (totals["twins"], totals["gaps"], totals["unequal"], totals["moved"]) == (0, 0, 0, 1)

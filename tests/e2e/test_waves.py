"""Waves through the real commands against the emulator; its truth ledger says what really happened."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.conftest import Bench

OK, BAD_INPUT, NOT_READY, UNFINISHED = 0, 2, 3, 6
TO_2325 = 15 * 3600 + 25 * 60  # the world begins at 08:00 UTC


def ready(bench: Bench) -> int:
    """An approved plan whose customers have answered their invitations; how many are to move."""
    to_move = bench.approved_plan()
    bench.good("invite")
    bench.mails_arrive()
    return to_move


def moved(bench: Bench) -> int:
    """How many customers moved, with nobody billed twice, locked out or moved in part."""
    totals = bench.world.get("ledger")["totals"]
    assert (totals["twins"], totals["gaps"], totals["unequal"], totals["partly"]) == (0, 0, 0, 0)
    return int(totals["moved"])


def run(bench: Bench) -> dict[str, Any]:
    """A run that ends in order, with its JSON answer."""
    done = bench.run("run", "--json")
    assert done.returncode in {OK, UNFINISHED}, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_a_wave_that_cannot_finish_today_is_refused_with_the_numbers_and_starts_with_an_approval(bench: Bench) -> None:
    """At 23:25 UTC and ten calls a minute it does not fit; somebody answers for it, and it ends before midnight."""
    bench.settings('# stop_starting_at = "21:00"', 'stop_starting_at = "23:50"')
    ready(bench)
    bench.settings("# requests_per_minute = 500", "requests_per_minute = 10")
    bench.good("wave", "new", "evening", "--limit", "30")
    bench.world.post("clock", {"advance_seconds": TO_2325})
    code, said = bench.refused("wave", "start", "evening")
    assert code == NOT_READY
    assert "cannot finish today" in said
    assert "can be made until 23:30 UTC" in said
    assert "At 9.8 a minute" in said
    assert 'tenantfold wave start evening --override today --by NAME --reason "TEXT"' in said
    code, said = bench.refused("wave", "start", "evening", "--override", "today", "--reason", "month end")
    assert code == BAD_INPUT
    assert "--by" in said
    answer = ("--override", "today", "--by", "Ingrid Holm", "--reason", "the month ends")
    wave = bench.good("wave", "start", "evening", *answer)
    assert wave["state"] == "running"
    assert [(one["rule"], one["by"], one["reason"]) for one in wave["overrides"]] == [
        ("today", "Ingrid Holm", "the month ends")
    ]
    bench.settings("requests_per_minute = 10", "requests_per_minute = 500")
    run(bench)
    assert 0 < moved(bench) <= 30
    assert bench.world.get("ledger")["totals"]["overlap_seat_days"] == 0


def test_a_wave_over_its_limits_is_refused_with_rule_numbers_and_override(bench: Bench) -> None:
    """Customers, licenses, and money without prices: each with its figure; the whole command stands there."""
    bench.settings("# max_customers = 500", "max_customers = 10")
    bench.settings("# max_seats = 20000", "max_seats = 50")
    bench.settings("# max_monthly_amount = 0", "max_monthly_amount = 1000")
    bench.approved_plan()
    size = bench.good("wave", "new", "north", "--country", "SE")["check"]["size"]
    code, said = bench.refused("wave", "start", "north")
    assert code == NOT_READY
    assert f"customers: The wave has {size['customers']} customers; waves.max_customers allows 10." in said
    assert f"seats: The wave has {size['seats']} licenses; waves.max_seats allows 50." in said
    assert "offer(s) of the wave have no price in files.price_list" in said
    rules = "--override customers --override seats --override monthly_amount"
    assert f'tenantfold wave start north {rules} --by NAME --reason "TEXT"' in said
    assert bench.good("wave", "show", "north")["wave"]["state"] == "draft"
    words = [word for rule in ("customers", "seats", "monthly_amount") for word in ("--override", rule)]
    bench.good("wave", "start", "north", *words, "--by", "Eva", "--reason", "checked by hand")
    assert bench.good("wave", "show", "north")["wave"]["state"] == "running"


def test_a_paused_wave_begins_nobody_and_only_those_of_a_running_one_move(bench: Bench) -> None:
    """Paused: no order leaves and the run says why. Resumed: the wave moves and ends; nobody else has begun."""
    ready(bench)
    bench.good("wave", "new", "first", "--limit", "5")
    bench.good("wave", "start", "first")
    bench.good("wave", "pause", "first", "--reason", "wait for the help desk")
    stopped = bench.run("run")
    assert stopped.returncode == UNFINISHED
    assert "Nobody was driven" in stopped.stdout
    assert "no_wave" in stopped.stdout
    assert moved(bench) == 0
    assert "POST /v1/customers/{customer}/orders" not in bench.world.get("ledger")["calls"]
    bench.good("resume", "--wave", "first")
    answer = run(bench)
    assert answer["summary"]["driven"] == 5
    assert moved(bench) == 5
    (wave,) = bench.good("wave", "list")
    assert (wave["wave"]["state"], wave["moved"]) == ("finished", 5)


def test_a_scheduled_wave_starts_at_its_time_and_holds_one_customer_that_was_paused(bench: Bench) -> None:
    """Before its time nobody begins; at its time the next run starts it; a paused customer waits for its resume."""
    ready(bench)
    bench.good("wave", "new", "morning", "--limit", "4")
    bench.good("wave", "schedule", "morning", "--at", "2026-03-02T10:00Z")
    run(bench)
    assert moved(bench) == 0
    waiting = [one for one in bench.good("status")["customers"] if one["held"] == "wave"]
    assert len(waiting) == 4
    bench.good("pause", "--customer", waiting[0]["customer_id"], "--by", "Eva", "--reason", "asked us to wait")
    bench.world.post("clock", {"advance_seconds": 2 * 3600 + 60})
    run(bench)
    assert moved(bench) == 3
    bench.good("resume", "--customer", waiting[0]["customer_id"])
    run(bench)
    assert moved(bench) == 4
    status = bench.good("status")
    assert [one["wave"]["state"] for one in status["waves"]] == ["finished"]
    assert "the bottleneck is" in status["eta"]


def test_steering_commands_hold_release_and_retry_whom_they_name(bench: Bench) -> None:
    """Lists join and leave a wave; aborted customers are out until they are resumed; wrong words are explained."""
    bench.approved_plan()
    everybody = [one["customer_id"] for one in bench.good("status")["customers"] if one["phase"] == "planned"]
    file = bench.folder / "some.csv"
    file.write_text("customer_id\n" + "\n".join(everybody[:3]) + "\n")
    made = bench.good("wave", "new", "some", "--customers", str(file))
    assert made["check"]["size"]["customers"] == 3
    more = bench.folder / "more.csv"
    more.write_text("customer_id\n" + "\n".join(everybody[2:5]) + "\n")
    answer = bench.good("wave", "add", "some", "--customers", str(more))
    assert (answer["added"], answer["left_out"]) == (2, {everybody[2]: "it is in wave some"})
    assert bench.good("wave", "remove", "some", "--customers", str(file))["removed"] == 3
    bench.good("abort", "--customer", everybody[3], "--now", "--by", "Eva", "--reason", "left us")
    explained = bench.run("explain", everybody[3])
    assert "Held: It was aborted at once" in explained.stdout
    assert "By Eva" in explained.stdout
    assert bench.good("resume", "--customer", everybody[3]) == {
        "customer_id": everybody[3],
        "lifted": True,
        "held": "wave",
    }
    assert bench.good("pause", "--all")["customers"] == len(everybody)
    bench.good("resume", "--all")
    assert bench.good("abort", "--wave", "some")["wave"]["state"] == "aborted"
    assert bench.good("retry-failed", "--all") == {"due": 0}
    for words, said in (
        (("pause",), "exactly one of --customer X, --wave NAME and --all"),
        (("abort", "--wave", "somee"), "Did you mean some?"),
        (("wave", "schedule", "some", "--at", "tomorrow"), "a time with its zone, such as 2026-03-03T06:00Z"),
        (("wave", "resume", "some"), "it cannot become running or anything else any more"),
        (("wave", "new", "none", "--country", "XX"), "Nobody can be put into wave none"),
    ):
        code, answered = bench.refused(*words)
        assert code == BAD_INPUT, answered
        assert said in answered

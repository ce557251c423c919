"""The demo: a partner with everything there is, folded over some weeks with the real commands.

Legacy and new-commerce licenses, Azure of both kinds, software, marketplace, four source tenants,
two currencies to leave. In the end the emulator's truth ledger (not our own reports) says what went by which way, and
whether anybody was billed twice, locked out or forgotten.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenantfold.cli.render import Renderer
from tenantfold.demo.small import REPLACEMENT, Demo, DemoError, Emulator

WORLD = ("--world", "mixed", "--seed", "7", "--customers", "48")
SKU_AFTER = "CFQ7TTC0LDPB:0001"  # Microsoft 365 Business Standard, for the other campaign offer that is gone
GONE_TO_SKU = "Office 365 Business Premium Shift Campaign - 15%"
GONE_TO_OFFER = "Microsoft 365 Business Shift Campaign - 15%"
DAY = 24 * 3600.0
WAYS: Mapping[str, str] = {
    "recreated": "legacy licenses ordered again, verified, and suspended at the source the same day",
    "adopted": "legacy licenses that were at the target already",
    "transferred": "new-commerce licenses transferred between the partner tenants",
    "azure_transferred": "Azure subscriptions and reservations transferred under the target's Azure plan",
    "azure_supported": "legacy Azure subscriptions moved by Microsoft's support",
    "rebought": "licenses bought again after their term",
    "by_hand": "marketplace and software, moved by a colleague",
}


class MixedDemo(Demo):
    """One pass through the whole job over a mixed world."""

    def __init__(self, folder: Path, world: Emulator, renderer: Renderer) -> None:
        super().__init__(folder, world, renderer)
        self._done: set[tuple[str, str]] = set()

    def play(self) -> bool:
        """The whole job in order; True when the truth ledger is clean and everybody is explained."""
        self._prepare()
        self._first_day()
        for days, sentence in _LATER:
            self._later(days, sentence)
        self.command("tasks")
        self.command("status")
        self.command("report", "--to", str(self.folder / "report"))
        return self._judge()

    def _prepare(self) -> None:
        """Set up, look at everything, say who moves and what replaces what is gone, plan, approve."""
        self.command("init", str(self.folder), "--name", "nordic-fold", "--emulator", self.world.url)
        self._decide()
        self.command("doctor")
        self.command("inventory")
        self.command("tenants")
        self.say("The account managers fill in who accepted the Microsoft Customer Agreement, and when.")
        self.write_list()
        self.say("Two offers are no longer sold. The product owner chooses what replaces them and signs for it.")
        self.write_mapping()
        self._plan(loud=True)

    def _plan(self, *, loud: bool) -> None:
        """Plan and approve; in the later weeks without showing all of it again."""
        words = ("plan", "--customers", str(self.folder / "customers-to-move.csv"))
        if loud:
            self.command(*words)
        else:
            self.say("The operator takes inventory, plans and approves again: something changed.")
            for quiet in (("inventory",), words):
                self.answer(*quiet)
        checksum = self.answer("show", "plan")["plan"]["checksum"]
        self.command("approve", checksum[:12], "--by", "Ingrid Holm")

    def _decide(self) -> None:
        """What the partner decides once: parts may move, missing Azure plans are bought and tidied up."""
        file = self.folder / "tenantfold.toml"
        text = file.read_text(encoding="utf-8")
        for name, value in _DECISIONS.items():
            text = _set(text, name, value)
        file.write_text(text, encoding="utf-8")

    def _first_day(self) -> None:
        """Invite, run, and do what only people can."""
        self.command("invite")
        self.say("The mails go out. Most administrators accept, some tomorrow, some never.")
        self.world.post("options", {"transfer_seconds": 1.0})
        self.world.post("actors", {"customers": self._mine(), "partner": "target", "kind": "preset"})
        self.command("run", allowed=(6,))
        for role in ("both_generations", "legacy_azure", "expired"):
            self.command("explain", self.cast[role])
        self.command("tasks")
        self._colleague()
        self.command("run", allowed=(6,))

    def _later(self, days: float, sentence: str) -> None:
        self.say(sentence)
        self.world.post("clock", {"advance_seconds": days * DAY})
        settled = any(task == "status_settled" for _, task in self._done)
        if settled or any(one["phase"] == "stale" for one in self.answer("status", "--all")["customers"]):
            self._done = {one for one in self._done if one[1] != "status_settled"}
            self._plan(loud=False)
        self.command("run", allowed=(0, 6))
        if self._colleague():
            self.command("run", allowed=(0, 6))

    # --- a colleague -------------------------------------------------------------------------------------------------

    def _colleague(self) -> int:
        """Do in the portals what the program asks a person for, and confirm it; how many things that were."""
        done = 0
        while found := [one for one in self.answer("tasks")["tasks"] if self._key(one) not in self._done]:
            for one in found:
                self._done.add(self._key(one))
                done += self._do(one)
        if done:
            self.say(f"A colleague has done {done} things of the list, in the portals and by mail, and confirmed each.")
        return done

    @staticmethod
    def _key(task: Mapping[str, str]) -> tuple[str, str]:
        return task["subscription_id"], task["task"]

    def _do(self, task: Mapping[str, str]) -> int:
        words = ["tasks", "done", task["customer_id"], task["task"], "--subscription", task["subscription_id"]]
        does = _IN_THE_PORTAL.get(task["task"])
        shown = ("--note", "done in the portal")
        if task["task"] == "status_settled":
            self.world.post(f"subscriptions/{task['subscription_id']}", {"status": "active"})
        elif does is not None:
            answer = self.world.post("actors/portal", {"subscription": task["subscription_id"], "does": does})
            if does == "buy_alike":
                shown = ("--target-id", self._bought(task["customer_id"], answer["id"]))
            elif does == "hand_off":
                shown = ("--note", answer["id"])
        self.answer(*words, *shown, "--by", "Kari Nes")
        return 1

    def _bought(self, customer_id: str, order_id: str) -> str:
        """The subscription of an order, which is there some seconds after it."""
        self.world.post("clock", {"advance_seconds": 60})
        found = self.world.get("snapshot")["subscriptions"].values()
        ids = [str(one["id"]) for one in found if (one["customer_id"], one["order_id"]) == (customer_id, order_id)]
        return ids[0]

    def _mine(self) -> list[str]:
        """The customers of this consolidation: those of the government's cloud have one of their own (R-213)."""
        world = self.world.get("snapshot")
        mine = {
            one["id"] for one in world["partner_tenants"].values() if one.get("cloud", "commercial") == "commercial"
        }
        return sorted({one["customer_id"] for one in world["relationships"].values() if one["tenant_id"] in mine})

    def listed(self) -> list[Mapping[str, Any]]:
        """Those of this consolidation."""
        mine = set(self._mine())
        return [one for one in super().listed() if one["id"] in mine]

    def write_mapping(self) -> None:
        """Map one offer that is gone to another, the other to new commerce, with a name behind it (R-121)."""
        ids = {one["offer_name"]: one["offer_id"] for one in self.world.get("snapshot")["subscriptions"].values()}
        with (self.folder / "offer-mapping.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("source_offer_id", "target_offer_id", "term", "billing_plan", "approved_by", "note"))
            writer.writerow((ids[GONE_TO_OFFER], REPLACEMENT, "", "", "Ingrid Holm", "campaign left the catalog"))
            writer.writerow((ids[GONE_TO_SKU], SKU_AFTER, "P1Y", "monthly", "Ingrid Holm", "only new commerce"))

    def _judge(self) -> bool:
        """Ask the truth ledger; show what a manager wants to know."""
        truth = self.world.get("ledger?detail=1")
        mine = set(self._mine())
        lines = [one for one in truth["customers"] if one["customer_id"] in mine]
        standings = self.answer("status", "--all")["customers"]
        explained = {one["customer_id"] for one in standings if one["why"] and one["owner"] and one["next_action"]}
        left = [one for one in lines if one["state"] != "moved"]
        forgotten = [one for one in left if one["customer_id"] not in explained]
        self._show_ways(lines)
        self._show_waiting([one for one in standings if one["customer_id"] in {each["customer_id"] for each in left}])
        self._show_files()
        self._show_zeros(truth, lines, len(forgotten))
        totals = truth["totals"]
        wrong = ("twins", "gaps", "unequal", "billed_suspensions", "azure_faults")
        return not any(totals[name] for name in wrong) and not forgotten and totals["moved"] > 0

    def _show_ways(self, lines: list[Any]) -> None:
        ways = Counter(move["way"] for one in lines for move in one["moves"])
        rows = [(sentence, ways[way]) for way, sentence in WAYS.items()]
        self.renderer.line()
        self.renderer.table(
            "What moved, by the way it went (the emulator's truth ledger)", ("", "count"), rows, numbers=(1,)
        )

    def _show_waiting(self, left: list[Mapping[str, str]]) -> None:
        """Who has not moved as a whole, and for whom it waits, the busiest first."""
        order = Counter(one["owner"] for one in left)
        rows = [
            (one["owner"], one["customer"], one["why"], one["next_action"])
            for one in sorted(left, key=lambda one: (-order[one["owner"]], one["owner"], one["customer"]))
        ]
        self.renderer.table("What waits, and for whom", ("waits for", "customer", "why", "what to do"), rows)

    def _show_zeros(self, truth: Mapping[str, Any], lines: list[Any], forgotten: int) -> None:
        totals, states = truth["totals"], Counter(one["state"] for one in lines)
        rows = [
            ("customers in the old tenants", len(lines)),
            ("customers moved as a whole", states["moved"]),
            ("customers moved in part, the rest explained", states["partly"]),
            ("customers not moved, each with a reason and an owner", states["untouched"] + states["not_movable"]),
            ("customers that nobody explains", forgotten),
            ("subscriptions billed twice (twins)", totals["twins"]),
            ("people locked out (gaps)", totals["gaps"]),
            ("new-commerce subscriptions suspended, which stops no bill", totals["billed_suspensions"]),
            ("Azure subscriptions that nobody or two pay for", totals["azure_faults"]),
            ("subscriptions that differ from what was there", totals["unequal"]),
            ("calls to Partner Center, of which throttled", f"{totals['calls']}, {totals['throttled']}"),
        ]
        self.renderer.table("What really happened (the emulator's truth ledger)", ("", "count"), rows, numbers=(1,))


_DECISIONS = {
    "policy.partial_customers": '"allowed"',
    "policy.buys_azure_plan": '"yes"',
    "policy.cleans_azure_default": '"yes"',
    "policy.transfer_poll_seconds": "10",  # the emulator's transfers take a second here
}
_IN_THE_PORTAL = {
    "bought_at_target": "buy_alike",
    "ended_at_source": "end",
    "end_of_term_chosen": "choose_end_of_term",
    "handed_off": "hand_off",
    "transfer_unblocked": "cancel_marketplace",
}
_LATER = (
    (1.2, "The next day: somebody was late and has accepted now."),
    (6.0, "A week later."),
    (30.0, "A month later: terms have ended."),
)


def _set(text: str, name: str, value: str) -> str:
    """Write one setting into its section, in place of the line that stands there."""
    section, _, key = name.rpartition(".")
    lines, inside, found = [], False, False
    for line in text.splitlines():
        bare = line.lstrip("# ").split("=")[0].strip()
        inside = line.strip() == f"[{section}]" if line.startswith("[") else inside
        if inside and bare == key and "=" in line and not found:
            lines.append(f"{key} = {value}")
            found = True
        else:
            lines.append(line)
    if not found:
        raise DemoError(f"The settings file has no line for {name}.")
    return "\n".join(lines) + "\n"

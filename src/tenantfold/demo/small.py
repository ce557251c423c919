"""A small world of legacy licenses: three source tenants are folded into one, with the real commands.

It starts the emulator as a process, runs every command as a person would, and in the end asks the emulator's truth
ledger (not our own reports) whether anybody was billed twice, locked out or forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tenantfold.cli import app
from tenantfold.cli.render import Renderer
from tenantfold.clock import SystemClock

FOLDER = Path("demo")
START = "2026-03-02T08:00:00Z"
READY_WITHIN_SECONDS = 90.0
REPLACEMENT = "61795CAB-2ABD-43F6-88E9-C9ADAE5746E0"  # Microsoft 365 Business, for the campaign offer that is gone
AGREED_ON = "2026-02-16"
NEXT_DAY_SECONDS = 26 * 3600 + 60


class DemoError(Exception):
    """The demo did not go as it must."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """The running emulator's control plane."""

    url: str

    def get(self, path: str) -> Any:  # noqa: ANN401  # JSON
        """Read from the control plane."""
        return httpx2.get(f"{self.url}/_emulator/{path}", timeout=30.0).raise_for_status().json()

    def post(self, path: str, order: Mapping[str, object]) -> Any:  # noqa: ANN401  # JSON
        """Order something of the control plane."""
        return httpx2.post(f"{self.url}/_emulator/{path}", json=order, timeout=30.0).raise_for_status().json()


@contextmanager
def emulator(folder: Path, *world: str) -> Iterator[Emulator]:
    """A world (the small demo's, if none is named), served on a free port of this machine until the end."""
    command = [sys.executable, "-m", "partner_center_emulator", "serve", "--port", "0", "--start-at", START]
    command += world or ("--world", "demo")
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603  # our own program
        try:
            yield Emulator(_address(process, folder / "emulator.log"))
        finally:
            process.terminate()
            process.wait(timeout=20)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the emulator says where it listens and answers there."""
    clock = SystemClock()
    started = clock.now()
    while (clock.now() - started).total_seconds() < READY_WITHIN_SECONDS and process.poll() is None:
        words = log.read_text().split()
        address = next((word for word in words if word.startswith("http://127.0.0.1:")), None)
        if address is not None:
            try:
                httpx2.get(f"{address}/_emulator/health", timeout=5.0).raise_for_status()
            except httpx2.HTTPError:
                pass
            else:
                return address
        asyncio.run(clock.sleep(0.05))
    raise DemoError(f"The emulator did not start:\n{log.read_text()}")


class Demo:
    """One pass through the whole job."""

    def __init__(self, folder: Path, world: Emulator, renderer: Renderer) -> None:
        self.folder = folder
        self.world = world
        self.renderer = renderer
        self.cast: Mapping[str, str] = world.get("cast")

    def command(self, *words: str, allowed: tuple[int, ...] = (0,)) -> None:
        """Run one command as a person would, and show it."""
        self.renderer.line()
        self.renderer.line(f"$ tenantfold {' '.join(words)}", style="bold green")
        self._call(words, allowed)

    def answer(self, *words: str) -> Any:  # noqa: ANN401  # JSON
        """Run one command quietly and take its JSON answer."""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            try:
                self._call((*words, "--json"), (0,))
            except DemoError as error:
                raise DemoError(f"{error}\n{out.getvalue()}") from None
        return json.loads(out.getvalue())

    def _call(self, words: tuple[str, ...], allowed: tuple[int, ...]) -> None:
        """The command line itself, in this process: twenty starts of Python would be most of the demo's time."""
        config = () if words[0] == "init" else ("--config", str(self.folder / "tenantfold.toml"))
        code = app([*words, *config], standalone_mode=False) or 0
        if code not in allowed:
            raise DemoError(f"tenantfold {' '.join(words)} ended with exit code {code}.")

    def say(self, text: str) -> None:
        """Tell what happens outside tenantfold."""
        self.renderer.line()
        self.renderer.line(f"# {text}", style="yellow")

    def play(self) -> bool:
        """The whole job in order; True when the truth ledger is clean and everybody is explained."""
        self._prepare()
        self._first_day()
        self._second_day()
        self.command("status")
        self.command("report", "--to", str(self.folder / "report"))
        return self._judge()

    def _prepare(self) -> None:
        """Set up, look at everything, make the list of customers to move, plan twice, approve."""
        self.command("init", str(self.folder), "--name", "nordic-fold", "--emulator", self.world.url)
        self.command("doctor")
        self.command("inventory")
        self.command("tenants")
        self.command("export", "subscriptions", "--to", str(self.folder / "subscriptions.xlsx"))
        self.command("export", "list", "--to", str(self.folder / "customers-to-move.csv"))
        self.say("The account managers fill in who accepted the Microsoft Customer Agreement, and when.")
        self.write_list()
        self.command("plan", "--customers", str(self.folder / "customers-to-move.csv"))
        self.say("One offer is no longer sold. The product owner chooses a replacement and signs for it.")
        self.write_mapping()
        self.command("plan", "--customers", str(self.folder / "customers-to-move.csv"))
        self.approve()

    def approve(self) -> None:
        """Approve the newest plan."""
        checksum = self.answer("show", "plan")["plan"]["checksum"]
        self.command("approve", checksum[:12], "--by", "Ingrid Holm")

    def _first_day(self) -> None:
        """Invite, let customers accept, change something behind the plan's back, run."""
        self.command("invite")
        self.say("The mails go out. Most administrators accept, one will tomorrow, one never does.")
        self.world.post("actors", {"customers": "all", "partner": "target", "kind": "preset"})
        subscription = self._changing_subscription()
        self.say("After the approval, somebody adds three licenses for one customer in the old tenant.")
        self.world.post(f"subscriptions/{subscription['id']}", {"quantity": subscription["quantity"] + 3})
        self.command("run", allowed=(6,))
        self.command("explain", self.cast["seat_change"])
        self.command("explain", self.cast["never_accepts"])

    def _changing_subscription(self) -> Mapping[str, Any]:
        world = self.world.get("snapshot")
        held = [one for one in world["subscriptions"].values() if one["customer_id"] == self.cast["seat_change"]]
        return next(one for one in held if one["status"] == "active" and not one["parent_subscription_id"])

    def _second_day(self) -> None:
        """A day later: look again, plan again for the customer that changed, approve, run."""
        self.say("The next morning (the emulator's clock moves 26 hours).")
        self.world.post("clock", {"advance_seconds": NEXT_DAY_SECONDS})
        self.command("inventory")
        self.command("plan", "--customers", str(self.folder / "customers-to-move.csv"))
        self.approve()
        self.command("run", allowed=(6,))

    def write_list(self) -> None:
        """The partner's own list (R-07, R-113): every customer, with the contact from the partner's records."""
        with (self.folder / "customers-to-move.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            columns = ("customer_id", "company_name", "contact_first_name", "contact_last_name", "contact_email")
            writer.writerow((*columns, "agreed_on"))
            for one in self.listed():
                names = (one["company_name"], one["first_name"], one["last_name"], one["email"])
                writer.writerow((one["id"], *names, AGREED_ON))

    def listed(self) -> list[Mapping[str, Any]]:
        """The customers on the partner's list."""
        return list(self.world.get("snapshot")["customers"].values())

    def write_mapping(self) -> None:
        """Map the offer that is gone to one that is sold, with a name behind it (R-121)."""
        customer = self.answer("show", "customer", self.cast["offer_gone"])["customer"]
        gone = next(
            item for item in customer["items"] if any(one["code"] == "offer_not_sold" for one in item["findings"])
        )
        with (self.folder / "offer-mapping.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("source_offer_id", "target_offer_id", "approved_by", "note"))
            writer.writerow((gone["offer_id"], REPLACEMENT, "Ingrid Holm", "campaign offer left the catalog"))

    def _judge(self) -> bool:
        """Ask the truth ledger; show a table a manager understands."""
        truth = self.world.get("ledger?detail=1")
        standings = self.answer("status", "--all")["customers"]
        explained = {one["customer_id"] for one in standings if one["why"] and one["owner"] and one["next_action"]}
        not_moved = [one for one in truth["customers"] if one["state"] != "moved"]
        unexplained = [one for one in not_moved if one["customer_id"] not in explained]
        totals = truth["totals"]
        rows = [
            ("customers in the old tenants", len(truth["customers"])),
            ("customers moved", totals["moved"]),
            ("customers not moved, each with a reason and an owner", len(not_moved)),
            ("customers that nobody explains", len(unexplained)),
            ("subscriptions billed twice (twins)", totals["twins"]),
            ("people locked out (gaps)", totals["gaps"]),
            ("days of double billing caused by the move, in license days", totals["overlap_seat_days"]),
            ("subscriptions that differ from what was there", totals["unequal"]),
            ("calls to Partner Center, of which throttled", f"{totals['calls']}, {totals['throttled']}"),
        ]
        self.renderer.line()
        self.renderer.table("What really happened (the emulator's truth ledger)", ("", "count"), rows, numbers=(1,))
        left = {one["customer_id"] for one in not_moved}
        self._show_left([one for one in standings if one["customer_id"] in left])
        self._show_files()
        clean = not (totals["twins"] or totals["gaps"] or totals["unequal"] or totals["overlap_seat_days"])
        return clean and not unexplained and totals["moved"] > 0 and not totals["partly"]

    def _show_left(self, left: list[Mapping[str, str]]) -> None:
        rows = [(one["customer"], one["why"], one["owner"], one["next_action"]) for one in left]
        headings = ("customer", "why", "who acts next", "what to do")
        self.renderer.table("Who did not move", headings, rows)

    def _show_files(self) -> None:
        places = sorted(
            path for path in self.folder.rglob("*") if path.suffix in {".html", ".xlsx", ".csv", ".db", ".toml"}
        )
        self.renderer.table("Files", ("where",), [(str(path),) for path in places])

"""What long work says while it goes on: how long the rest takes, and which limit slows it down."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta

import pytest
from rich.console import Console

from tenantfold import config
from tenantfold.bootstrap import open_program
from tenantfold.cli.forecast import show_forecast
from tenantfold.cli.outlook import eta_shown
from tenantfold.cli.render import Renderer
from tenantfold.domain.model import OfferId, ProductKind, Route
from tenantfold.domain.prediction import Comparison
from tenantfold.store.workers import WorkerBook
from tests.cli.conftest import NOW, Desk, customer, manual_item

LEFT = "minutes left by order calls at target"


def _seen(width: int = 160) -> tuple[Renderer, io.StringIO]:
    """A renderer whose progress somebody looks at."""
    screen = io.StringIO()
    renderer = Renderer(as_json=False)
    renderer._err = Console(file=screen, force_terminal=True, width=width)
    return renderer, screen


def _legacy(desk: Desk) -> None:
    """An approved plan with licenses to order again."""
    offer = OfferId("195416C1-3447-423A-B37B-EE59A99A19C4")
    item = manual_item("a", route=Route.RECREATE, kind=ProductKind.LEGACY_LICENSE, offer_id=offer)
    desk.plan(customer(1, item))


def test_the_note_stands_beside_the_bar() -> None:
    """In few words, and without a line of its own."""
    renderer, screen = _seen()
    with renderer.progress() as report:
        renderer.note(f"5 {LEFT}")
        report.update("customers driven", 3, None)
    assert f"customers driven, 5 {LEFT}" in screen.getvalue()


async def _shown(desk: Desk, renderer: Renderer, screen: io.StringIO) -> str:
    """What stands on the screen while a run drives its first customer."""
    settings = config.load(desk.folder / "tenantfold.toml")
    async with open_program(settings) as program:
        with renderer.progress() as report:
            async with eta_shown(program, renderer):
                while not renderer._note:
                    await program.clock.sleep(0.01)
                report.update("customers driven", 1, None)
    return screen.getvalue()


def test_long_work_says_how_long_the_rest_takes(desk: Desk) -> None:
    """Counted from what is left in the ledger and from the rates that are known."""
    _legacy(desk)
    renderer, screen = _seen()
    said = asyncio.run(_shown(desk, renderer, screen))
    assert "customers driven, 0.1 minutes left by" in said


def test_the_list_of_workers_names_the_bottleneck(desk: Desk) -> None:
    """Whoever thinks of starting another worker learns what limits those that are there."""
    _legacy(desk)
    desk.do(lambda store: WorkerBook(store.database).sign_on("w1", host="h", pid=1, program="0"))
    code, said = desk.say("workers")
    assert code == 0
    assert "the bottleneck is" in said
    assert [one["id"] for one in desk.json("workers")] == ["w1"]


def test_status_puts_what_happened_beside_what_was_rehearsed(capsys: pytest.CaptureFixture[str]) -> None:
    """Customers, those that stand still, late cutovers and calls, each with its prediction."""
    found = Comparison(
        rehearsed_at=NOW,
        at=NOW,
        moved=12,
        moved_predicted=15,
        calls=230,
        calls_predicted=240,
        late=3,
        late_predicted=1,
        failed=4,
        failed_predicted=2,
        unmoved=9,
        unmoved_predicted=5,
        ends_at=NOW + timedelta(days=1),
        delay_seconds=0.0,
    )
    show_forecast(Renderer(as_json=False), found)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert {tuple(row[1:]) for row in rows if row} >= {("12", "15"), ("4", "2"), ("3", "1"), ("9", "5"), ("230", "240")}

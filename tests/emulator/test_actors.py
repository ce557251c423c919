"""People outside the partner: customers' admins of every temper, and Microsoft's support."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx2
import msgspec
import pytest

from partner_center_emulator import actors
from partner_center_emulator.actors import support
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.behaviour import HandOff, SupportManner
from partner_center_emulator.world import Acceptance, World
from tests.emulator.conftest import tenant_by_key
from tests.emulator.small_world import ALFA, BRAVO, CHARLIE, HELPLESS, OVERSEAS, SE, START, TARGET

DAY = 86_400


def ask(emulator: Emulator, kind: actors.Kind, after_seconds: float = 0.0, customer_id: str = ALFA) -> actors.Asked:
    """Let one customer learn of the target's request."""
    customer = emulator.world.customers[customer_id]
    return actors.ask(emulator, tenant_by_key(emulator, "target"), [customer], kind, after_seconds)


def since(emulator: Emulator, customer_id: str = ALFA) -> float | None:
    """Return after how many seconds the customer accepted, None if it did not."""
    relationship = emulator.world.relationships.get(f"{TARGET}/{customer_id}")
    return (relationship.since - START).total_seconds() if relationship else None


def attempts(emulator: Emulator) -> list[object]:
    """Return the reasons of refused attempts."""
    return [row.after["reason"] for row in emulator.world.changes if row.what == "relationship.refused"]


def test_an_early_customer_does_not_wait_for_the_mail(emulator: Emulator):
    """It accepts without ever having been asked, at once or after a while."""
    assert ask(emulator, "early").accepted == 1
    assert ask(emulator, "early", 60, BRAVO).scheduled == 1
    emulator.clock.advance(60)
    assert (since(emulator), since(emulator, BRAVO)) == (0, 60)
    assert emulator.world.customers[ALFA].acceptance.asked_at is None


def test_a_customer_that_waits_for_the_reminder(emulator: Emulator):
    """Nothing happens for a week; the reminder brings the acceptance, a second one makes it no later."""
    assert ask(emulator, "after_reminder", 3600).waiting == 1
    emulator.clock.advance(7 * DAY)
    assert since(emulator) is None
    assert ask(emulator, "preset").waiting == 1
    assert ask(emulator, "reminder").scheduled == 1
    emulator.clock.advance(1800)
    ask(emulator, "reminder")
    emulator.clock.advance(1800)
    assert since(emulator) == 7 * DAY + 3600
    assert ask(emulator, "reminder").already == 1


def test_the_wrong_person_tries_first(emulator: Emulator):
    """The attempt is refused and on record; after the reminder the right one accepts."""
    asked = ask(emulator, "wrong_role")
    assert [row.reason for row in asked.refused] == ["not_global_admin"]
    assert (attempts(emulator), since(emulator)) == (["not_global_admin"], None)
    assert ask(emulator, "reminder").accepted == 1
    assert since(emulator) == 0


@pytest.mark.parametrize(
    ("kind", "counter"), [("never", "never"), ("now", "accepted"), ("early", "accepted"), ("after", "scheduled")]
)
def test_a_reminder_changes_nothing_for_the_others(emulator: Emulator, kind: str, counter: str):
    """Who never accepts does not; who is slow does not get slower."""
    emulator.world.customers[ALFA].acceptance = msgspec.convert({"kind": kind, "after_seconds": 0}, Acceptance)
    assert getattr(ask(emulator, "reminder"), counter) == 1
    assert attempts(emulator) == []


def test_who_cannot_accept_is_refused_and_on_record(emulator: Emulator):
    """Wrong region and no Global admin at all, reminder or not."""
    ask(emulator, "now", customer_id=OVERSEAS)
    ask(emulator, "now", customer_id=HELPLESS)
    ask(emulator, "reminder", customer_id=HELPLESS)
    assert attempts(emulator) == ["other_region", "not_global_admin", "not_global_admin"]


async def test_the_control_plane_knows_every_kind(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """One mail, one reminder, over HTTP."""
    order = {"customers": [ALFA, BRAVO, CHARLIE], "kind": "after_reminder", "after_seconds": 60}
    assert (await anonymous.post("/_emulator/actors", json=order)).json()["waiting"] == 3
    answer = await anonymous.post("/_emulator/actors", json={"customers": "all", "kind": "reminder"})
    assert answer.json()["scheduled"] == 3
    await anonymous.post("/_emulator/clock", json={"advance_seconds": 60})
    assert [since(emulator, one) for one in (ALFA, BRAVO, CHARLIE)] == [60, 60, 60]


class Desk:
    """A part of the emulator that hands work to support; keeps what comes back."""

    def __init__(self) -> None:
        self.back: list[tuple[str, str, int]] = []

    def take(self, _emulator: Emulator, hand_off: HandOff) -> None:
        self.back.append((hand_off.subject_id, hand_off.mistake, hand_off.attempt))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Yield a desk that is registered for the kind ``test.move`` while the test runs."""
    made = Desk()
    support.work("test.move")(made.take)
    yield made
    support.forget("test.move")


def hand_over(emulator: Emulator, subject_id: str = "thing") -> HandOff:
    """Hand one thing to support."""
    return support.hand_over(emulator, "test.move", subject_id, tenant_id=SE, customer_id=ALFA)


def test_support_works_through_what_it_was_handed(emulator: Emulator, desk: Desk):
    """Hours pass, each piece comes back at its own time, and the record names both ends."""
    works = [hand_over(emulator, f"thing {number}") for number in range(10)]
    assert len({work.due_at for work in works}) == 10
    assert all(work.due_at > START for work in works)
    emulator.clock.advance_to(max(work.due_at for work in works))
    assert [row[0] for row in desk.back] == [work.subject_id for work in sorted(works, key=lambda one: one.due_at)]
    assert {row[1] for row in desk.back} == {""}
    assert [row.what for row in emulator.world.changes].count("support.worked") == 10


def test_support_makes_mistakes_and_tries_again(emulator: Emulator, desk: Desk):
    """Always wrong in a drawn way; the second attempt is drawn anew."""
    emulator.world.behaviour.support.manner = SupportManner(mistake_probability=1, mistakes=["wrong_item"])
    work = hand_over(emulator)
    emulator.clock.advance_to(work.due_at)
    emulator.world.behaviour.support.manner = SupportManner()
    support.again(emulator, work)
    emulator.clock.advance_to(work.due_at)
    assert desk.back == [("thing", "wrong_item", 1), ("thing", "", 2)]


def test_the_same_world_has_the_same_support(emulator: Emulator, desk: Desk):
    """Delay and mistake depend on the seed and the hand-off alone."""
    emulator.world.behaviour.support.manner = SupportManner(mistake_probability=0.5)
    first = [(work.due_at, work.mistake) for work in (hand_over(emulator) for _ in range(20))]
    emulator.world.next_number = 1
    second = [(work.due_at, work.mistake) for work in (hand_over(emulator) for _ in range(20))]
    assert first == second
    assert 0 < sum(bool(mistake) for _, mistake in first) < 20


def test_withdrawn_work_does_not_come_back(emulator: Emulator, desk: Desk):
    """Support forgets what was taken back."""
    work = hand_over(emulator)
    support.withdraw(work)
    emulator.clock.advance(365 * DAY)
    assert desk.back == []


def test_open_work_survives_a_snapshot(emulator: Emulator, desk: Desk):
    """After a load it comes back once, at its time."""
    work = hand_over(emulator)
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    emulator.clock.advance_to(work.due_at - timedelta(seconds=1))
    assert desk.back == []
    emulator.clock.advance_to(work.due_at)
    assert desk.back == [("thing", "", 1)]


def test_support_takes_only_work_it_knows(emulator: Emulator, desk: Desk):
    """An unknown kind is refused at once, and a kind has one worker."""
    with pytest.raises(KeyError):
        support.hand_over(emulator, "test.nothing", "x", tenant_id=SE)
    with pytest.raises(ValueError, match=r"test\.move"):
        support.work("test.move")(desk.take)


async def test_the_manner_of_support_is_set_through_the_control_plane(
    emulator: Emulator, anonymous: httpx2.AsyncClient, desk: Desk
):
    """Hours and mistakes; bad numbers are 400."""
    path = "/_emulator/actors/support"
    assert (await anonymous.post(path, json={"median_hours": 1, "sigma": 0})).status_code == 200
    work = hand_over(emulator)
    assert (work.due_at - START).total_seconds() == pytest.approx(3600)
    shown = (await anonymous.get(path)).json()
    assert [row["id"] for row in shown["hand_offs"]] == [work.id]
    for bad in ({"mistake_probability": 2}, {"median_hours": -1}, {"sigma": 9}, {"speed": 1}):
        assert (await anonymous.post(path, json=bad)).status_code == 400

"""Commands that need Microsoft's time, on a machine that cannot reach it."""

from __future__ import annotations

import pytest

from tenantfold import bootstrap
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.domain.waves import LimitRule, Override, Wave, WaveState
from tests.cli.conftest import NOW, Desk, customer, manual_item

PARTNER_CENTER = 4


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between the tries."""
    monkeypatch.setattr(bootstrap, "TIME_PAUSES_SECONDS", (0.0, 0.0))


def _wave(desk: Desk, *overridden: LimitRule) -> None:
    """A scheduled wave of the first of two customers, its rules overridden by somebody."""
    desk.plan(customer(1, manual_item("a")), customer(2, manual_item("b")))
    overrides = tuple(Override(rule=rule, by="Eva", reason="small", at=NOW) for rule in overridden)
    wave = Wave(name="north", created_at=NOW, state=WaveState.SCHEDULED, starts_at=NOW, overrides=overrides)
    event = Event(at=NOW, customer_id=None, name="wave.created", facts={})
    desk.do(lambda store: store.create_wave(wave, [CustomerId("c-1")], event))


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("worker",),
        ("wave", "start", "north"),
        ("wave", "schedule", "north", "--at", "2030-03-03T06:00Z"),
    ],
)
def test_what_begins_cutovers_does_not_begin_by_the_clock_of_the_laptop(desk: Desk, words: tuple[str, ...]):
    """It says what is missing and what to do; the wave stays as it was, and nobody worked."""
    _wave(desk)
    code, said = desk.say(*words)
    assert code == PARTNER_CENTER
    assert "did not say what time it is" in said
    assert "-> Check the network and the proxy of this machine" in said
    assert desk.do(lambda store: store.wave("north")).state is WaveState.SCHEDULED
    assert desk.json("workers") == []


def test_adding_to_a_wave_names_the_overrides_that_lapse(desk: Desk):
    """The person who adds learns what has to be answered for again."""
    _wave(desk, LimitRule.CUSTOMERS, LimitRule.TODAY)
    more = desk.folder / "more.csv"
    more.write_text("domain\nc-2.example\n")
    code, said = desk.say("wave", "add", "north", "--customers", str(more), "--by", "Olof")
    assert code == 0
    assert "1 customer(s) added to wave north." in said
    assert "nobody answers for its overridden rules any more" in said
    assert "--override customers --override today" in said
    (event,) = desk.do(lambda store: store.events(name="wave.grown"))
    assert event.facts == {"wave": "north", "by": "Olof", "added": "1", "lapsed": "customers, today"}


def test_adding_to_a_wave_without_overrides_says_nothing_about_them(desk: Desk):
    """As a document: nothing lapsed."""
    _wave(desk)
    more = desk.folder / "more.csv"
    more.write_text("domain\nc-2.example\n")
    answer = desk.json("wave", "add", "north", "--customers", str(more))
    assert answer == {"added": 1, "lapsed": [], "left_out": {}}

"""Delegated admin access is asked for beside the runs: once a customer, whatever dies, and in nobody's way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from partner_center_emulator.seed.portfolios import Portfolio
from partner_center_emulator.world import StateChange
from tenantfold.domain import gdap_course
from tenantfold.domain.gdap import GdapCase, GdapIntent
from tenantfold.domain.gdap_course import GdapDesk
from tenantfold.simulation import crash_search, gdap_script, mixed_judge
from tenantfold.simulation.deaths import Death, Moment
from tenantfold.simulation.gdap_script import Ask, GdapCommand, GdapScript
from tenantfold.simulation.loop import run
from tenantfold.simulation.mixed import MixedSimulation
from tenantfold.simulation.mixed_scenario import MixedScenario, draw
from tenantfold.simulation.steering_script import When
from tests.simulation.beside import quiet

TWO = (Portfolio.LEGACY, Portfolio.MODERN)


def typed(ask: Ask, moment: float, death: Death | None = None) -> GdapCommand:
    """A command so many seconds after the start."""
    return GdapCommand(ask=ask, when=When.CLOCK, moment=moment, death=death)


def asked(*commands: GdapCommand, **members: object) -> MixedScenario:
    """Two customers that approve after a minute, and these commands; ``members`` are of the script."""
    script = GdapScript(commands=commands, approves={0: 60.0, 1: 60.0})
    return quiet(*TWO, gdap=replace(script, **members))  # type: ignore[arg-type]  # by name


def changes_of(scenario: MixedScenario, folder: Path, what: tuple[str, ...]) -> list[StateChange]:
    """What changed at Microsoft, of these kinds."""

    async def work() -> list[StateChange]:
        simulation = MixedSimulation(scenario, folder)
        await simulation.play()
        assert (await mixed_judge.judge(simulation)).faults == ()
        return [one for one in simulation.stage.world.changes if one.what.startswith(what)]

    return run(work, scenario.seed)


def test_everybody_who_approves_has_active_access_in_the_end(tmp_path: Path):
    """One relationship each, two groups each, each assignment made once."""
    made = changes_of(asked(typed(Ask.REQUEST, 400)), tmp_path, ("gdap.activated", "gdap.assignment_created"))
    assert sorted(one.what for one in made) == ["gdap.activated"] * 2 + ["gdap.assignment_created"] * 4


def test_nobody_moves_later_because_of_it(tmp_path: Path):
    """Orders, suspensions and transfers happen at the same moments as without."""
    moves = ("order.", "subscription.", "transfer.")
    found = []
    for number, scenario in enumerate((asked(), quiet(*TWO))):
        folder = tmp_path / str(number)
        folder.mkdir()
        found.append([(one.at, one.what, one.customer_id) for one in changes_of(scenario, folder, moves)])
    with_it, without = found
    assert with_it
    assert with_it == without


def test_who_never_approves_is_explained():
    """It waits for the customer, whose letter expires one day."""
    assert crash_search.play(asked(typed(Ask.REQUEST, 400), approves={})).faults == ()


def test_what_a_colleague_made_by_hand_is_left_alone(tmp_path: Path):
    """No second relationship."""
    scenario = asked(typed(Ask.REQUEST, 400), by_hand=frozenset({0}))
    assert len(changes_of(scenario, tmp_path, ("gdap.approved",))) == 1


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_command_that_dies_anywhere_leaves_nobody_with_two(moment: Moment, first: int):
    """At boundaries of its journal and at turns of the loop; started again, it finds what there is."""
    scale = 1 if moment is Moment.BOUNDARY else 25
    for number in range(first, 28, 9):
        death = Death(moment=moment, number=number * scale, down_seconds=5.0)
        scenario = asked(typed(Ask.REQUEST, 400, death), typed(Ask.CHECK, 900, death))
        assert crash_search.play(scenario).faults == (), f"{moment.value} {number * scale}"


def test_a_death_is_told_and_counted():
    """The story says what died, and the verdict counts it."""
    scenario = asked(typed(Ask.REQUEST, 400, Death(moment=Moment.BOUNDARY, number=3)))
    told = crash_search.tell(scenario)
    assert crash_search.play(scenario).kills == 1
    assert any("gdap request is killed" in line for line in told)
    assert any(line.startswith("To be typed: gdap request, at 400") for line in told)


def test_finds_a_program_that_believes_in_access_it_did_not_read(monkeypatch: pytest.MonkeyPatch):
    """Broken on purpose: whoever approved is said to be active."""
    monkeypatch.setattr(
        gdap_course, "_give_access", lambda _case, ours, *_: gdap_course.Rest(standing=gdap_course._active(ours, ()))
    )
    assert "untrue" in crash_search.play(asked(typed(Ask.REQUEST, 400))).kinds


def test_finds_a_program_that_makes_another_when_an_answer_is_lost(monkeypatch: pytest.MonkeyPatch):
    """Broken on purpose: nothing is found by its name, and what is sent again has a new one."""
    again, names = gdap_course._again, iter(range(1_000_000))

    def under_a_new_name(lost: GdapIntent, case: GdapCase, desk: GdapDesk) -> GdapIntent:
        intent = again(lost, case, desk)
        wish = replace(intent.wish, name=f"name {next(names)}") if intent.wish is not None else None
        return replace(intent, wish=wish)

    monkeypatch.setattr(gdap_course, "_again", under_a_new_name)
    monkeypatch.setattr(gdap_course, "_named", lambda *_: None)
    monkeypatch.setattr(gdap_course, "_other", lambda *_: None)
    scenario = asked(typed(Ask.REQUEST, 400, Death(moment=Moment.BOUNDARY, number=4, down_seconds=2_000.0)))
    assert "access" in crash_search.play(scenario).kinds


def test_asking_changes_nothing_else_of_a_seed():
    """It is drawn from a generator of its own, for a share of the seeds of the commercial cloud."""
    some = [draw(seed) for seed in range(1, 101)]
    assert 25 <= sum(one.gdap is not None for one in some) <= 50
    assert all(one.gdap is None for one in some if one.cloud == "us_government")
    assert gdap_script.draw(1, (0, 1), 9) == gdap_script.draw(1, (0, 1), 9)


def test_the_same_seed_that_asks_leaves_the_same_journal():
    """Commands beside a run happen at the same place every time."""
    death = Death(moment=Moment.TURN, number=200)
    scenario = asked(typed(Ask.REQUEST, 400, death), typed(Ask.CHECK, 600))
    assert crash_search.journal(scenario) == crash_search.journal(scenario)

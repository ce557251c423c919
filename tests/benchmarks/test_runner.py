"""The benchmark runner: what it measures, what it calls over budget, and what it does without benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks.bench_cutover_calls import calls_by_customer, kinds_of_calls
from benchmarks.machine import machine
from benchmarks.measure import Bench, Budget, Figure, Measurement, Outcome, measure
from benchmarks.results import RESULTS, read_all

WIDE = Budget(cpu_seconds=60, memory_mb=10_000)


def bench(budget: Budget | None = WIDE, *figures: Figure) -> Bench:
    """A benchmark that counts, with a budget at 1,000 things."""

    def run(size: int, folder: Path) -> Outcome:
        return Outcome(figures=figures, facts={"counted": sum(1 for _ in range(size))})

    return Bench(name="count", what="count things", unit="things", full_size=1_000, budget=budget, run=run)


def test_runs_a_part_of_the_full_size_on_a_part_of_the_time(tmp_path: Path):
    """A tenth of the size may take a tenth of the time, but has the same memory to live in."""
    result = measure(bench(), 0.1, tmp_path)
    assert (result.size, result.full_size, result.facts) == (100, 1_000, {"counted": 100})
    assert [figure.budget for figure in result.figures] == [6, 10_000]
    assert result.is_within_budget


@pytest.mark.parametrize(("cpu_seconds", "memory_mb"), [(-1, 10_000), (60, 0.1)])
def test_either_time_or_memory_can_be_over_budget(cpu_seconds: float, memory_mb: float, tmp_path: Path):
    """One of the two is enough to fail, and its row says so."""
    result = measure(bench(Budget(cpu_seconds=cpu_seconds, memory_mb=memory_mb)), 1, tmp_path)
    assert not result.is_within_budget
    assert "OVER BUDGET" in runner.table(result)


def test_a_figure_of_the_run_can_be_over_its_own_budget(tmp_path: Path):
    """What a run measures by itself counts like time and memory."""
    slow = Figure(what="answers a second", unit="answers", measured=4_000, budget=5_000, at_least=True)
    result = measure(bench(None, slow), 1, tmp_path)
    assert result.figures == (slow,)
    assert not result.is_within_budget


@pytest.mark.parametrize(
    ("measured", "budget", "at_least", "ratio", "is_within"),
    [
        (3.0, 2.0, False, 1.5, False),
        (2.0, 2.0, False, 1.0, True),
        (4_000.0, 5_000.0, True, 1.25, False),
        (5_000.0, 5_000.0, True, 1.0, True),
        (0.0, 5_000.0, True, float("inf"), False),
        (3.0, None, False, None, True),
    ],
)
def test_a_ratio_over_one_is_a_miss_whichever_way_the_budget_points(
    *, measured: float, budget: float | None, at_least: bool, ratio: float | None, is_within: bool
):
    """One reading for both kinds of budget; a figure without one is neither kept nor missed."""
    figure = Figure(what="it", unit="s", measured=measured, budget=budget, at_least=at_least)
    assert (figure.ratio, figure.is_within_budget) == (ratio, is_within)


def test_prepares_and_measures_in_processes_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The smallest plan there is goes the whole way: prepared, measured, read back."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    result = runner.run_apart("plan_store", 0.00001)
    assert isinstance(result, Measurement)
    assert (result.size, result.facts["customers to move"]) == (1, 1)


def test_says_clearly_when_there_is_nothing_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """An empty folder is no failure, and no table of nothing either."""
    monkeypatch.setattr(runner, "FOLDER", tmp_path)
    assert runner.main([]) == 0
    assert capsys.readouterr().out == "There are no benchmarks yet: nothing was measured.\n"


def test_a_broken_benchmark_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """A benchmark that could not be measured is never counted as within its budget."""
    monkeypatch.setattr(runner, "run_apart", lambda name, scale: None)
    monkeypatch.setattr(runner, "machine", dict)
    assert runner.main(["plan"]) == 1
    assert "BROKEN" in capsys.readouterr().out


def test_keeps_results_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A run on the side changes no document."""
    result = measure(bench(), 0.1, tmp_path)
    monkeypatch.setattr(runner, "run_apart", lambda name, scale: result)
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    assert runner.main(["plan"]) == 0
    assert not (tmp_path / "results").exists()
    assert runner.main(["plan", "--save"]) == 0
    assert [one.measurement for one in read_all(tmp_path / "results")] == [result]


def test_refuses_an_unknown_name(capsys: pytest.CaptureFixture[str]):
    """A misspelled benchmark is named, with the ones that exist."""
    with pytest.raises(SystemExit):
        runner.main(["plam"])
    assert "no such benchmark: plam; there are: " in capsys.readouterr().err


def test_every_benchmark_can_be_loaded_and_is_named_after_its_file():
    """What ``--inside`` imports is what the table shows."""
    for name in runner.names():
        found = runner.load(name)
        assert (found.name, found.full_size > 0) == (name, True)


def test_every_kept_result_belongs_to_a_benchmark_there_is():
    """A benchmark that was renamed or removed leaves no figures behind."""
    assert {one.measurement.name for one in read_all(RESULTS)} <= set(runner.names())


def test_knows_the_machine():
    """Figures mean little without what they were measured on."""
    facts = machine()
    assert set(facts) == {"python", "system", "processor", "cores", "load_average", "yardstick_seconds"}
    assert float(facts["yardstick_seconds"]) > 0


def test_counts_calls_by_customer_and_by_resource():
    """Only calls whose path names a customer are a customer's; its id is read without regard to case."""
    calls = {
        ("GET", "/v1/customers"): 9,
        ("GET", "/v1/customers/AA"): 1,
        ("GET", "/v1/customers/aa/subscriptions"): 2,
        ("PATCH", "/v1/customers/aa/subscriptions/s1"): 3,
        ("POST", "/v1/customers/bb/orders"): 4,
    }
    assert calls_by_customer(calls) == {"aa": 6, "bb": 4}
    assert kinds_of_calls(calls, {"aa"}) == {"GET customer": 1, "GET subscriptions": 2, "PATCH subscriptions": 3}

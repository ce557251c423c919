"""The benchmark runner: what it measures, what it calls over budget, and what it does without benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks.measure import Bench, Budget, measure


def bench(cpu_seconds: float = 60, memory_mb: float = 10_000) -> Bench:
    """A benchmark that counts, with a budget at 1,000 things."""

    def run(size: int) -> Mapping[str, int]:
        return {"counted": sum(1 for _ in range(size))}

    budget = Budget(cpu_seconds=cpu_seconds, memory_mb=memory_mb)
    return Bench(name="count", what="count things", unit="things", full_size=1_000, budget=budget, run=run)


def test_runs_a_part_of_the_full_size_on_a_part_of_the_time():
    """A tenth of the size may take a tenth of the time, but has the same memory to live in."""
    result = measure(bench(), 0.1)
    assert (result.size, result.facts) == (100, {"counted": 100})
    assert (result.budget_cpu_seconds, result.budget_memory_mb) == (6, 10_000)
    assert result.is_within_budget


@pytest.mark.parametrize(("cpu_seconds", "memory_mb"), [(-1, 10_000), (60, 0.1)])
def test_either_time_or_memory_can_be_over_budget(cpu_seconds: float, memory_mb: float):
    """One of the two is enough to fail, and the row says so."""
    result = measure(bench(cpu_seconds, memory_mb), 1)
    assert not result.is_within_budget
    assert "OVER BUDGET" in runner.row(result)


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
    assert runner.main(["plan"]) == 1
    assert "BROKEN" in capsys.readouterr().out


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

"""The page about performance: its tables come from the kept results, its words stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.measure import Figure, Measurement
from benchmarks.results import Result, read_all, save

EMPTY = f"# Performance\n\nWords before.\n\n{page.BEGIN}\n{page.END}\n\nWords after.\n"


def result(load: float = 0.5, size: int = 10) -> Result:
    """One kept budget, one missed one, one figure that only informs."""
    return Result(
        machine={
            "python": "3.11.0",
            "system": "Linux",
            "processor": "a processor",
            "cores": 2,
            "load_average": load,
            "yardstick_seconds": 0.2,
        },
        measurement=Measurement(
            name="count",
            what="count things",
            size=size,
            full_size=100,
            unit="things",
            wall_seconds=1.0,
            figures=(
                Figure(what="CPU", unit="s", measured=3.0, budget=2.0),
                Figure(what="things a second", unit="things", measured=8_000.0, budget=5_000.0, at_least=True),
                Figure(what="of that, counting", unit="s", measured=1.5),
            ),
            facts={"counted": 10_000},
        ),
    )


def test_writes_a_table_for_every_result_and_keeps_the_words():
    """Budget, measured, ratio and verdict stand in one row; what informs only has no verdict."""
    text = page.filled(EMPTY, [result()])
    assert text.startswith("# Performance\n\nWords before.")
    assert text.endswith("Words after.\n")
    assert "| CPU | ≤ 2 s | 3 s | 1.50 | **missed** |" in text
    assert "| things a second | ≥ 5,000 things | 8,000 things | 0.62 | kept |" in text
    assert "| of that, counting | | 1.5 s | | |" in text
    assert "Run with 10 things, 0.1 of the full size; counted 10,000." in text


def test_says_when_the_machine_was_busy():
    """Figures of a busy machine are marked as such."""
    assert "the machine was busy (load average 7.5 before)" in page.tables([result(load=7.5)])
    assert "busy" not in page.tables([result(load=0.2)])


def test_filling_a_page_twice_changes_nothing():
    """Fresh tables replace the old ones."""
    once = page.filled(EMPTY, [result()])
    assert page.filled(once, [result()]) == once


def test_refuses_a_page_without_marks():
    """Without the marks there is no telling where the tables belong."""
    with pytest.raises(ValueError, match="lacks the marks"):
        page.filled("# Performance\n", [result()])


def test_check_finds_an_old_page_and_writing_makes_it_fresh(tmp_path: Path):
    """The check writes nothing; the writer brings the page up to date with what was kept."""
    file, kept = tmp_path / "performance.md", tmp_path / "results"
    file.write_text(EMPTY, encoding="utf-8")
    save(result(), kept)
    assert page.main(["--check"], file, kept) == 1
    assert file.read_text(encoding="utf-8") == EMPTY
    assert page.main([], file, kept) == 0
    assert page.main(["--check"], file, kept) == 0


def test_kept_results_read_as_they_were_saved(tmp_path: Path):
    """A result survives its file, and a later one of the same benchmark takes its place."""
    save(result(size=5), tmp_path)
    save(result(size=10), tmp_path)
    assert read_all(tmp_path) == [result(size=10)]


def test_the_page_of_this_project_is_fresh():
    """Whoever keeps new results writes the page as well."""
    assert page.main(["--check"]) == 0

"""The house's lint as a program: what it reads, prints and returns."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks import house
from checks.rules import RULES


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository with one clean file."""
    room = tmp_path / "src" / "tenantfold"
    room.mkdir(parents=True)
    (room / "errors.py").write_text("CODE = 1\n", encoding="utf-8")
    return tmp_path


def test_returns_0_for_a_clean_tree(tree: Path, capsys: pytest.CaptureFixture[str]):
    """A clean tree is said to be clean, with the number of files read."""
    assert house.main([], tree) == 0
    assert capsys.readouterr().out == "house: 1 files kept\n"


def test_returns_1_and_a_line_per_finding(tree: Path, capsys: pytest.CaptureFixture[str]):
    """Findings come by file and line, the sum last."""
    (tree / "src/tenantfold/plan.py").write_text("import time\ntime.time()\nprint(1)\n", encoding="utf-8")
    assert house.main([], tree) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[:2] for line in lines[:2]] == [
        ["src/tenantfold/plan.py:2", "clock"],
        ["src/tenantfold/plan.py:3", "print"],
    ]
    assert lines[-1] == "house: 2 finding(s) in 2 files"


def test_lists_every_rule_with_its_sentence(tree: Path, capsys: pytest.CaptureFixture[str]):
    """The table of rules is complete, and a rule without a sentence would show as an empty line."""
    assert house.main(["--list"], tree) == 0
    shown = capsys.readouterr().out
    for rule in RULES:
        assert rule.sentence.endswith(".")
        assert f"{rule.name:15} {rule.sentence}" in shown
    for name, _ in house.SIZE_RULES:
        assert name in shown


def test_prints_the_sizes(tree: Path, capsys: pytest.CaptureFixture[str]):
    """The figures behind the size gate can be read without any finding."""
    assert house.main(["--metrics"], tree) == 0
    assert "src/tenantfold" in capsys.readouterr().out

"""The size gate measures functions and files and stops what is too long."""

from __future__ import annotations

import pytest

from checks.size import figures, functions, p95, too_long
from checks.source import Source


def function_of(lines: int, name: str = "f") -> str:
    """Code of a function with so many lines."""
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


def rules(code: str, path: str = "src/tenantfold/a.py") -> list[str]:
    """The size rules a piece of code breaks."""
    return [finding.rule for finding in too_long([Source.parse(path, code)])]


@pytest.mark.parametrize(
    ("lengths", "value"), [([], 0), ([7], 7), (range(1, 21), 19), (range(1, 101), 95), ([1] * 19 + [90], 1)]
)
def test_the_95th_percentile_is_taken_by_nearest_rank(lengths: list[int], value: int):
    """One in twenty may be longer than the limit, no more."""
    assert p95(lengths) == value


def test_a_function_is_measured_from_def_to_its_last_line():
    """Decorators do not count; inner functions count on their own and in their outer one."""
    code = "@wrap\ndef outer():\n    async def inner():\n        x = 1\n    return inner\n"
    assert [(found.name, found.lines) for found in functions(Source.parse("src/a.py", code))] == [
        ("outer", 4),
        ("inner", 2),
    ]


def test_80_lines_pass_and_81_do_not():
    """The hard limit of a function is 80 lines, whatever the rest of the room looks like."""
    many_short = "".join(function_of(2, f"g{number}") for number in range(40))
    assert rules(many_short + function_of(80)) == []
    assert rules(many_short + function_of(81)) == ["function-size"]


def test_one_long_function_in_twenty_passes_and_two_do_not():
    """35 lines is the limit for 95 % of a room's functions."""
    short = "".join(function_of(2, f"g{number}") for number in range(19))
    assert rules(short + function_of(36)) == []
    assert rules(short + function_of(36) + function_of(36, "h")) == ["function-p95"]


def test_each_room_is_judged_by_itself():
    """Many short tests do not make long functions in the product pass."""
    product = Source.parse("src/tenantfold/a.py", function_of(40))
    tests = Source.parse("tests/test_a.py", "".join(function_of(2, f"g{number}") for number in range(100)))
    assert [finding.path for finding in too_long([product, tests])] == ["src/tenantfold/a.py"]


def test_500_lines_pass_and_501_do_not():
    """The hard limit of a file is 500 lines."""
    assert rules("x = 1\n" * 500) == []
    assert rules("x = 1\n" * 501) == ["file-size"]


def test_the_figures_name_what_each_room_holds():
    """Rooms without files are left out."""
    (row,) = figures([Source.parse("checks/a.py", function_of(3) + function_of(5, "g"))])
    assert (row.room, row.files, row.functions, row.function_median, row.function_max) == ("checks", 1, 2, 4, 5)

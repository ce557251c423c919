"""Settings that are lists of texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantfold import config
from tests.test_config import SOURCE, WHOLE, complaint, read

GROUP_ID = "55555555-5555-4555-8555-555555555555"


def test_a_list_is_an_array_in_the_file_and_has_semicolons_in_a_variable(tmp_path: Path):
    """The texts may have commas in them; an empty variable counts as not set."""
    both = (f"{GROUP_ID}: Global reader, User administrator", f"{SOURCE}:Global reader")
    text = WHOLE + f"[gdap]\ngroups = ['{both[0]}', '{both[1]}']\n"
    assert read(tmp_path, text).gdap.groups == both
    variable = {"TENANTFOLD_GDAP__GROUPS": f"{both[1]}; {both[0]} ;"}
    assert read(tmp_path, text, variable).gdap.groups == both[::-1]
    assert read(tmp_path, text, {"TENANTFOLD_GDAP__GROUPS": ""}).gdap.groups == both


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("groups = ['AdminAgents: Global reader']", '["AdminAgents: Global reader"]'),
        (f"groups = ['{GROUP_ID}']", GROUP_ID),
        ("roles = ['x' , 3]", '["x", no text]'),
        ("roles = 'Global reader'", '"Global reader"'),
        ("roles = ['Global reader; User administrator']", "Global reader; User administrator"),
    ],
)
def test_a_list_with_something_else_in_it_is_refused_with_what_is_allowed(tmp_path: Path, line: str, shown: str):
    """Which setting, what stood there, and the shape of each text."""
    message = complaint(tmp_path, f"{WHOLE}[gdap]\n{line}\n").message
    assert f"gdap.{line.partition(' ')[0]} is" in message
    assert shown in message
    assert "a list, each" in message


def test_a_template_keeps_lists_and_can_be_read_again(tmp_path: Path):
    """Default lists stand commented out; given ones come back as they are."""
    text = config.template({"gdap.roles": ("Global reader", "User administrator")})
    assert 'roles = ["Global reader", "User administrator"]' in text
    assert "# groups = []" in text
    rows = {row.name: row.shown_value for row in config.origins(read(tmp_path, WHOLE))}
    assert rows["gdap.roles"] == "Service support administrator; Directory readers"
    assert rows["gdap.groups"] == "-"

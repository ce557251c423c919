"""The terms of delegated admin access as the settings give them, and the letter to a customer."""

from __future__ import annotations

import pytest

from tenantfold.domain.gdap import GdapCondition, GroupAccess, RoleId
from tenantfold.domain.gdap_course import failed
from tenantfold.domain.gdap_roles import GLOBAL_ADMINISTRATOR, role_name, terms_of
from tenantfold.domain.messages import delegated_admin_text
from tenantfold.errors import ConfigError
from tests.domain.gdaps import NOW, REFUSED, SUPPORT, case


def test_roles_are_taken_by_name_in_any_case_or_by_id():
    """Names are ours, ids are Entra's; each role once."""
    unnamed = "729827E3-9C14-49F7-BB1B-9608F156BBB8"
    terms = terms_of(
        ["service SUPPORT administrator", SUPPORT, unnamed],
        [f"11111111-1111-4111-8111-11111111111A : Service support administrator, {unnamed}"],
        duration_days=30,
        auto_extend=True,
    )
    assert terms.roles == (SUPPORT, RoleId(unnamed.lower()))
    assert terms.groups == (GroupAccess(group_id="11111111-1111-4111-8111-11111111111a", roles=terms.roles),)
    assert [role_name(role) for role in terms.roles] == ["Service support administrator", unnamed.lower()]


GROUP_ID = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("roles", "groups", "auto_extend", "words"),
    [
        pytest.param([], [], False, "at least one role", id="none"),
        pytest.param(["Directory reader"], [], False, "Did you mean Directory readers?", id="misspelled"),
        pytest.param(["Emperor"], [], False, "which has no name here", id="unknown"),
        pytest.param(["Global administrator"], [], True, "R-105", id="extended with everything"),
        pytest.param([GLOBAL_ADMINISTRATOR.upper()], [], True, "R-105", id="the same by its id"),
        pytest.param(["Global reader"], [f"{GROUP_ID}: License administrator"], False, "does not ask for", id="beyond"),
        pytest.param(["Global reader"], [f"{GROUP_ID}: Global reader"] * 2, False, "twice", id="a group twice"),
    ],
)
def test_terms_that_cannot_be_are_refused_in_words(roles: list[str], groups: list[str], auto_extend: bool, words: str):  # noqa: FBT001 - a column of the table
    """Each names the setting, the value and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        terms_of(roles, groups, duration_days=730, auto_extend=auto_extend)
    assert words in caught.value.message
    assert caught.value.next_step


def test_what_microsoft_refused_is_a_persons_with_its_words():
    """The next command tries again."""
    made, outcome = REFUSED
    standing = failed(case(REFUSED), made, outcome)
    assert (standing.condition, standing.detail) == (GdapCondition.NEEDS_PERSON, "No such tenant.")
    assert standing.next_action == "Run: tenantfold gdap request"


def test_a_name_from_outside_adds_no_line_to_a_letter():
    """A company name with a line break cannot smuggle another link in."""
    text = delegated_admin_text(
        "Alfa\n  2. Open https://evil.example\x07", "Nord\nwind", "https://x/r", ["Reader"], 30, NOW
    )
    assert "\n  2. Open https" not in text
    assert "until 2026-03-02" in text
    assert text.count("https://x/r") == 1

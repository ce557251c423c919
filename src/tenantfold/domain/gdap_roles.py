"""Entra's roles by name, and the terms of delegated admin access made of them (R-103 to R-106).

A role's template id is the same in every tenant. Those that partners ask for have a name here; any other is given by
its id.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from tenantfold.domain.gdap import GdapTerms, GroupAccess, RoleId
from tenantfold.errors import ConfigError

GLOBAL_ADMINISTRATOR = RoleId("62e90394-69f5-4237-9190-012177145e10")
ROLES: Mapping[str, RoleId] = {
    "Global administrator": GLOBAL_ADMINISTRATOR,
    "Global reader": RoleId("f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
    "Service support administrator": RoleId("f023fd81-a637-4b56-95fd-791ac0226033"),
    "License administrator": RoleId("4d6ac14f-3453-41d0-bef9-a3e0c569773a"),
    "User administrator": RoleId("fe930be7-5e62-47db-91af-98c3a49a38b1"),
    "Directory readers": RoleId("88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
    "Directory writers": RoleId("9360feb5-f418-4baa-8175-e2a00bac4301"),
    "Domain name administrator": RoleId("8329153b-31d0-4727-b945-745eb3bc5f31"),
}
_BY_NAME = {name.casefold(): role for name, role in ROLES.items()}
_NAMES = {role: name for name, role in ROLES.items()}


def role_name(role: RoleId) -> str:
    """A role for people: its name, else its id."""
    return _NAMES.get(role, role)


def terms_of(roles: Sequence[str], groups: Sequence[str], *, duration_days: int, auto_extend: bool) -> GdapTerms:
    """The terms that the settings ``gdap.*`` describe; a group is written ``id: role, role``.

    Raises ConfigError for no role, an unknown one, a group that stands twice or gets a role nobody is asked for, and
    Global administrator together with auto-extension, which Microsoft does not allow (R-105).
    """
    wanted = tuple(dict.fromkeys(_role(text, "gdap.roles") for text in roles))
    if not wanted:
        raise ConfigError(
            "gdap.roles is empty; allowed is at least one role.",
            next_step=f"Name roles in gdap.roles, such as: {', '.join(ROLES)}.",
            setting="gdap.roles",
        )
    if auto_extend and GLOBAL_ADMINISTRATOR in wanted:
        raise ConfigError(
            "gdap.auto_extend is yes and gdap.roles has Global administrator; Microsoft extends no such relationship "
            "(R-105).",
            next_step="Take the role out of gdap.roles, or set gdap.auto_extend to no.",
            setting="gdap.auto_extend",
        )
    return GdapTerms(roles=wanted, groups=_groups(groups, wanted), duration_days=duration_days, auto_extend=auto_extend)


def _groups(written: Iterable[str], wanted: tuple[RoleId, ...]) -> tuple[GroupAccess, ...]:
    found: dict[str, GroupAccess] = {}
    for text in written:
        group_id, _, named = text.partition(":")
        group_id = group_id.strip().lower()
        roles = tuple(dict.fromkeys(_role(name.strip(), "gdap.groups") for name in named.split(",")))
        if group_id in found:
            raise ConfigError(
                f"gdap.groups names the group {group_id} twice; a group has one access assignment for all its roles.",
                next_step="Write all its roles behind one colon.",
                setting="gdap.groups",
            )
        beyond = [role_name(role) for role in roles if role not in wanted]
        if beyond:
            raise ConfigError(
                f"gdap.groups gives {', '.join(beyond)} to the group {group_id}, which gdap.roles does not ask for.",
                next_step="Add the role to gdap.roles, or take it from the group.",
                setting="gdap.groups",
            )
        found[group_id] = GroupAccess(group_id=group_id, roles=roles)
    return tuple(found.values())


def _role(text: str, setting: str) -> RoleId:
    """The template id of a role given by name or id. Raises ConfigError with the nearest name."""
    known = _BY_NAME.get(text.casefold())
    if known is not None:
        return known
    if "-" in text:
        return RoleId(text.lower())  # the settings let no other text with hyphens through than an id
    nearest = difflib.get_close_matches(text.casefold(), _BY_NAME, n=1, cutoff=0.6)
    hint = f" Did you mean {role_name(_BY_NAME[nearest[0]])}?" if nearest else ""
    raise ConfigError(
        f"{setting} has the role '{text}', which has no name here.{hint}",
        next_step=f"Known are {', '.join(ROLES)}. Give any other by its template id.",
        setting=setting,
        value=text,
    )

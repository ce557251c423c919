"""The judge of delegated admin access (simulation room): what stands at Microsoft, and what the ledger says of it.

Each customer has at most one living relationship of ours, each group its access once; nobody is said to be active who
is not, and whoever is not has somebody who acts next. That nothing of a move waits for it, the other judges ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from partner_center_emulator.state.gdap import GdapRelationship
from tenantfold.bootstrap import gdap_terms_of
from tenantfold.domain.gdap import GdapCase, GdapCondition
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.states import Owner
from tenantfold.flow.gdap import every_case
from tenantfold.simulation.gdap_script import Ask
from tenantfold.simulation.gdap_window import BY_HAND, GdapWindow
from tenantfold.simulation.hearing import Hearing, name_in
from tenantfold.simulation.stage import SimulatedStore

_OVER = frozenset({"expired", "terminated"})
_TIME_ALONE = frozenset({GdapCondition.SETTLING, GdapCondition.WAITS_FOR_MICROSOFT})


async def delegated(hearing: Hearing, gdap: GdapWindow) -> None:
    """Everything that must hold specially where delegated admin access is asked for."""
    for sentence in gdap.window.broken:
        hearing.say("broken", sentence)
    for sentence in gdap.misdirected:
        hearing.say("access", sentence)
    async with SimulatedStore.open(hearing.simulation.stage.settings.database_url, inline=True) as store:
        cases = {case.customer_id: case async for case in every_case(store)}
    for customer_id in gdap.ids.values():
        _at_microsoft(hearing, customer_id)
        _as_said(hearing, gdap, customer_id, cases.get(customer_id))


def _relationships(hearing: Hearing, customer_id: str) -> Iterator[GdapRelationship]:
    stage = hearing.simulation.stage
    for one in stage.world.gdap.relationships.values():
        if one.tenant_id == stage.settings.target.tenant_id and one.customer_id == customer_id:
            yield one


def _at_microsoft(hearing: Hearing, customer_id: str) -> None:
    """At most one that lives, one of each name, and no access twice."""
    who, found = name_in(hearing, customer_id), list(_relationships(hearing, customer_id))
    ours = [one for one in found if not one.display_name.startswith(BY_HAND)]
    if sum(one.status not in _OVER for one in found) > 1 and ours:
        hearing.say("access", f"{who} has more than one living delegated admin relationship.")
    for name, count in Counter(one.display_name for one in ours).items():
        if count > 1:
            hearing.say("access", f"{who} has {count} relationships named {name}.")
    for one in ours:
        for group, count in Counter(each.group_id for each in one.assignments.values()).items():
            if count > 1:
                hearing.say("access", f"{who}: the group {group} was given access {count} times.")


def _as_said(hearing: Hearing, gdap: GdapWindow, customer_id: CustomerId, case: GdapCase | None) -> None:
    """What the ledger says after the last look is so; and somebody acts next wherever anything is left to do."""
    who, standing = name_in(hearing, customer_id), case.standing if case is not None else None
    if standing is None:
        planned = hearing.cases.get(customer_id)
        if planned is not None and planned.customer.disposition is Disposition.MOVE:
            hearing.say("unexplained", f"{who} is to move, and nobody asked it for delegated admin access.")
        return
    where = f"{standing.condition.value} ({standing.code}: {standing.detail})"
    if standing.condition is GdapCondition.ACTIVE:
        if not _is_active(hearing, customer_id):
            hearing.say("untrue", f"{who}: delegated admin access is said to be active and is not.")
    elif standing.owner is Owner.NOBODY or not standing.next_action:
        hearing.say("unexplained", f"{who}: delegated admin access is {where}, and nobody has to act.")
    elif standing.condition in _TIME_ALONE:
        hearing.say("stuck", f"{who}: delegated admin access is {where}; only time has to pass, and it has passed.")
    elif standing.next_action.endswith(Ask.REQUEST.value):
        hearing.say("stuck", f"{who}: delegated admin access is {where}; asking again did not help.")
    elif gdap.script.groups and _is_active(hearing, customer_id):
        hearing.say("untrue", f"{who}: delegated admin access is {where}, and it is active.")


def _is_active(hearing: Hearing, customer_id: str) -> bool:
    """Whether one of ours is active and every group of the settings has its roles."""
    terms = gdap_terms_of(hearing.simulation.stage.settings)
    for one in _relationships(hearing, customer_id):
        if one.status != "active" or one.display_name.startswith(BY_HAND):
            continue
        given = {each.group_id: set(each.roles) for each in one.assignments.values() if each.status == "active"}
        if all(set(group.roles) <= given.get(group.group_id, set()) for group in terms.groups):
            return True
    return False

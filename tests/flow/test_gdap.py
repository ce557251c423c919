"""Delegated admin access: requested once a customer, followed, given; whatever is lost, refused or killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.clock import ManualClock
from tenantfold.domain.gdap import (
    GdapCase,
    GdapCondition,
    GdapOp,
    GdapStanding,
    GdapTerms,
    GroupAccess,
    RelationshipState,
    RoleId,
)
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.errors import AuthError, PlanMissingError, PlanNotApprovedError
from tenantfold.flow.gdap import GdapSummary, GdapTools, WriteLetter, check, request
from tenantfold.flow.progress import Silent
from tests.flow.fakes import Crash
from tests.flow.gdap_fakes import FakeGdapLedger, FakeGraph
from tests.flow.stage import HEADER, SE, START, customer_id

SETTLING = 900.0
READER = RoleId("reader")
GROUPS = (GroupAccess(group_id="g-1", roles=(READER,)), GroupAccess(group_id="g-2", roles=(READER,)))
TERMS = GdapTerms(roles=(READER,), groups=GROUPS, duration_days=30)
PENDING = GdapCondition.WAITS_FOR_CUSTOMER


@dataclass
class Stage:
    """Customers to move, a Graph, a ledger, and the letters that were written."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    letters: list[CustomerId] = field(default_factory=list)
    terms: GdapTerms = TERMS
    stopping: bool = False

    def __post_init__(self) -> None:
        """Build both sides."""
        self.graph = FakeGraph(clock=self.clock)
        self.ledger = FakeGdapLedger(clock=self.clock)
        self.write: WriteLetter = self._write

    async def plan(
        self,
        numbers: Iterable[int],
        *,
        approve: bool = True,
        blocked: Iterable[int] = (),
        moved: Iterable[int] = (),
    ) -> None:
        """A plan to move these customers, and not to move the blocked ones and those that have moved."""
        found = [_planned(number, Disposition.MOVE) for number in numbers]
        found += [_planned(number, Disposition.BLOCKED) for number in blocked]
        found += [_planned(number, Disposition.MOVED) for number in moved]
        record = await self.ledger.save_plan(HEADER, _stream(found), self.clock.now())
        if approve:
            await self.ledger.approve_plan(record.id, "Ingrid Holm", self.clock.now())

    def tools(self, *, again: bool = False) -> GdapTools:
        """What a command works with."""
        return GdapTools(
            consolidation="test",
            ledger=self.ledger,
            target=self.graph,
            clock=self.clock,
            terms=self.terms,
            settling_seconds=SETTLING,
            write_letter=self.write,
            stopping=lambda: self.stopping,
            in_flight=4,
            again=again,
        )

    def _write(self, case: GdapCase, standing: GdapStanding) -> str:
        assert standing.relationship_id is not None
        self.letters.append(case.customer_id)
        return f"{case.customer_id}.txt"

    async def request(self, *, renews: bool = False, again: bool = False) -> GdapSummary:
        """The command ``gdap request``."""
        return await request(self.tools(again=again), Silent(), renews=renews)

    async def check(self) -> GdapSummary:
        """The command ``gdap check``."""
        return await check(self.tools(), Silent())

    def approve(self) -> None:
        """Every customer that is asked approves."""
        for one in tuple(self.graph.there.values()):
            if one.state is RelationshipState.APPROVAL_PENDING:
                self.graph.turn(one.id, RelationshipState.ACTIVE)

    async def settle(self) -> None:
        """The settling time passes."""
        await self.clock.sleep(SETTLING + 1)


def _planned(number: int, disposition: Disposition) -> PlanCustomer:
    return PlanCustomer(
        customer_id=customer_id(number),
        company_name=f"Company {number}",
        country="SE",
        source_tenant_ids=(SE,),
        disposition=disposition,
        items=(),
    )


async def _stream(customers: list[PlanCustomer]) -> AsyncIterator[PlanCustomer]:
    for one in customers:
        yield one


async def test_each_customer_to_move_is_asked_once_and_gets_one_letter():
    """Who stays is not asked; a second request changes nothing; --again writes the letters once more."""
    stage = Stage()
    await stage.plan(range(10), blocked=[90])
    first = await stage.request()
    assert dict(first.conditions) == {PENDING: 10}
    assert sorted(stage.letters) == sorted(one.customer_id for one in stage.graph.there.values())
    second = await stage.request()
    assert (dict(second.conditions), second.letters) == ({PENDING: 10}, [])
    assert (stage.graph.calls["create"], stage.graph.calls["lock"]) == (10, 10)
    assert len((await stage.request(again=True)).letters) == 10
    assert customer_id(90) not in stage.ledger.gdap_rows


async def test_a_check_asks_one_list_for_everybody_and_gives_access_where_it_is_approved():
    """Few calls: one list for all who wait; the groups of those who approved; nothing for those that are verified."""
    stage = Stage()
    await stage.plan(range(20))
    await stage.request()
    stage.graph.calls.clear()
    assert dict((await stage.check()).conditions) == {PENDING: 20}
    assert dict(stage.graph.calls) == {"list": 1}
    stage.approve()
    assert dict((await stage.check()).conditions) == {GdapCondition.ACTIVE: 20}
    assert stage.graph.calls["assign"] == 20 * len(GROUPS)
    stage.graph.calls.clear()
    assert dict((await stage.check()).conditions) == {GdapCondition.ACTIVE: 20}
    assert dict(stage.graph.calls) == {"list": 1}


async def test_a_group_that_comes_into_the_settings_gets_its_access_later():
    """What was verified before is looked at again when the terms change."""
    stage = Stage(terms=replace(TERMS, groups=GROUPS[:1]))
    await stage.plan([1])
    await stage.request()
    stage.approve()
    await stage.check()
    stage.terms = TERMS
    assert dict((await stage.check()).conditions) == {GdapCondition.ACTIVE: 1}
    (given,) = stage.graph.access.values()
    assert [one.group_id for one in given] == ["g-1", "g-2"]


async def test_one_bad_customer_stops_nobody_else():
    """Microsoft's refusal is kept with its words, and the next request tries again (invariant 8)."""
    stage = Stage()
    await stage.plan(range(5))
    stage.graph.fault = lambda point: "refused" if point == f"create {customer_id(2)}" else ""
    summary = await stage.request()
    assert dict(summary.conditions) == {PENDING: 4, GdapCondition.NEEDS_PERSON: 1}
    bad = stage.ledger.gdap_rows[customer_id(2)].standing
    assert bad is not None
    assert (bad.code, bad.detail) == ("refused", f"refused at create {customer_id(2)}")
    stage.graph.fault = lambda _point: ""
    assert stage.graph.calls["create"] == 5
    assert dict((await stage.check()).conditions) == {PENDING: 4, GdapCondition.NEEDS_PERSON: 1}
    assert dict((await stage.request()).conditions) == {PENDING: 5}


async def test_a_letter_that_cannot_be_written_is_named_and_written_the_next_time():
    """The request was made; the customer is told later, and nothing is requested twice."""
    stage = Stage()
    await stage.plan(range(3))
    write = stage.write

    def no_space(case: GdapCase, standing: GdapStanding) -> str:
        if case.customer_id == customer_id(1):
            raise OSError("no space left")
        return write(case, standing)

    stage.write = no_space
    summary = await stage.request()
    assert summary.errors == {customer_id(1): "OSError: no space left"}
    stage.write = write
    assert (await stage.check()).letters == [f"{customer_id(1)}.txt"]
    assert (stage.graph.calls["create"], stage.graph.calls["lock"]) == (3, 3)


async def test_a_sign_in_that_fails_stops_all_with_an_outcome_for_what_was_begun():
    """Nothing stays in doubt: the call surely had no effect."""
    stage = Stage()
    await stage.plan(range(8))
    stage.graph.fault = lambda _point: "auth"
    with pytest.raises(AuthError):
        await stage.request()
    assert stage.graph.calls["create"] <= 4
    entries = [entry for found in stage.ledger.gdap_entries.values() for entry in found]
    assert {outcome.kind for _, outcome in entries if outcome is not None} == {OutcomeKind.FAILED}
    assert all(outcome is not None for _, outcome in entries)


async def test_without_an_approved_plan_nobody_is_asked():
    """Not even a read is made (invariant 5)."""
    stage = Stage()
    with pytest.raises(PlanMissingError):
        await stage.request()
    await stage.plan([1], approve=False)
    with pytest.raises(PlanNotApprovedError):
        await stage.request()
    assert not stage.graph.calls


async def test_a_stop_leaves_the_others_for_the_next_time():
    """What is in flight ends; nobody new is begun."""
    stage = Stage()
    await stage.plan(range(9))

    def stop_at(point: str) -> str:
        stage.stopping = stage.stopping or point.startswith("lock")
        return ""

    stage.graph.fault = stop_at
    summary = await stage.request()
    assert summary.interrupted
    assert 0 < len(stage.graph.there) <= 4
    stage.graph.fault, stage.stopping = (lambda _point: ""), False
    assert dict((await stage.request()).conditions) == {PENDING: 9}
    assert stage.graph.most == 1


async def test_what_is_over_is_asked_again_only_when_a_person_says_so():
    """A new relationship with a new name and a new letter; the old one stays as it is."""
    stage = Stage()
    await stage.plan([1])
    await stage.request()
    (first,) = stage.graph.there.values()
    stage.graph.turn(first.id, RelationshipState.EXPIRED)
    assert dict((await stage.request()).conditions) == {GdapCondition.ENDED: 1}
    assert dict((await stage.request(renews=True)).conditions) == {PENDING: 1}
    assert dict((await stage.request(renews=True)).conditions) == {PENDING: 1}
    assert len({one.name for one in stage.graph.there.values()}) == len(stage.graph.there) == 2
    assert stage.letters == [customer_id(1)] * 2


async def test_who_was_asked_before_it_moved_is_asked_on_afterwards():
    """What the ledger advises helps: a lost request is made, and one that is over renewed; a stranger is not asked."""
    stage = Stage()
    await stage.plan([0, 1])
    await stage.request()
    for one in tuple(stage.graph.there.values()):
        stage.graph.turn(one.id, RelationshipState.EXPIRED)
    await stage.plan([], moved=[0, 1, 2])
    assert dict((await stage.request()).conditions) == {GdapCondition.ENDED: 2}
    assert dict((await stage.request(renews=True)).conditions) == {PENDING: 2}
    assert stage.graph.calls["create"] == 4
    assert customer_id(2) not in stage.ledger.gdap_rows


async def test_a_ledger_that_was_lost_finds_its_relationships_by_their_names():
    """The same wish has the same name everywhere: nothing is made, everything is adopted."""
    old = Stage()
    await old.plan(range(3))
    await old.request()
    new = Stage(clock=old.clock)
    await new.plan(range(3))
    new.graph.there = dict(old.graph.there)
    assert dict((await new.request()).conditions) == {PENDING: 3}
    assert (new.graph.calls["create"], new.graph.calls["lock"]) == (0, 0)
    kinds = {outcome.kind for found in new.ledger.gdap_entries.values() for _, outcome in found if outcome}
    assert kinds == {OutcomeKind.ADOPTED}


async def test_a_lost_creation_is_found_by_its_name_at_once():
    """No waiting where the effect shows: one more look, and it is sent to the customer."""
    stage = Stage()
    await stage.plan([1])
    stage.graph.fault = lambda point: "lost after" if point.startswith("create") else ""
    assert dict((await stage.request()).conditions) == {PENDING: 1}
    (entries,) = stage.ledger.gdap_entries.values()
    assert [(made.kind, ended.kind) for made, ended in entries if ended] == [
        (GdapOp.CREATE, OutcomeKind.ADOPTED),
        (GdapOp.LOCK, OutcomeKind.DONE),
    ]


HOW = st.sampled_from(
    [
        "",
        "",
        "",
        "lost before",
        "lost after",
        "refused",
        "unavailable",
        "crash before",
        "crash after",
        "crash",
        "approve",
    ]
)
COMMANDS = st.lists(st.tuples(st.sampled_from(["request", "check", "renew", "settle"]), st.lists(HOW, max_size=4)))


@given(COMMANDS)
def test_nobody_ever_gets_a_second_relationship_or_assignment(commands: list[tuple[str, list[str]]]):
    """Kill it at any journal boundary, lose any answer: in the end everybody has one, with every group once."""
    asyncio.run(_play(commands))


async def _play(commands: list[tuple[str, list[str]]]) -> None:
    stage = Stage()
    await stage.plan([1, 2])
    for name, luck in commands:
        left = list(luck)
        stage.graph.fault = stage.ledger.fault = lambda _point, left=left: left.pop(0) if left else ""  # type: ignore[misc]
        try:
            match name:
                case "settle":
                    await stage.settle()
                case "check":
                    await stage.check()
                case _:
                    await stage.request(renews=name == "renew")
        except Crash:
            pass
        if "approve" in luck:
            stage.approve()
    stage.graph.fault = stage.ledger.fault = lambda _point: ""
    for _ in range(4):
        await stage.settle()
        await stage.request()
        stage.approve()
    await stage.settle()
    assert dict((await stage.check()).conditions) == {GdapCondition.ACTIVE: 2}
    assert stage.graph.most == 1
    assert len(stage.graph.there) == 2
    for given_to in stage.graph.access.values():
        assert sorted(one.group_id for one in given_to) == ["g-1", "g-2"]
    open_now = [made for found in stage.ledger.gdap_entries.values() for made, ended in found if ended is None]
    assert open_now == []

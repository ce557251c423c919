"""The state of one customer between two moments, and the moments of the model's calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import AgreementContact, TenantId
from tenantfold.domain.plan import PlanHeader
from tenantfold.domain.states import Counterpart
from tests.model.microsoft import Site, Thing

SE, TARGET = TenantId("se"), TenantId("target")
FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
STAMP = FIRST_DAY  # stands for every time that no decision looks at
CONTACT = AgreementContact(first_name="Ada", last_name="Berg", email="ada@example.com", agreed_on=date(2026, 2, 1))
HEADER = PlanHeader(consolidation="model", target_id=TARGET, snapshots=(), mapping_digest="", selection_digest="")


@dataclass(frozen=True)
class Ledger:
    """What is committed about the customer."""

    links: tuple[Counterpart, ...] = ()
    open: Intent | None = None
    settled: tuple[tuple[Intent, Outcome], ...] = ()

    def __hash__(self) -> int:
        """Computed once."""
        known: int | None = self.__dict__.get("_hash")
        if known is None:
            known = hash((self.links, self.open, self.settled))
            self.__dict__["_hash"] = known
        return known

    def opened(self, intent: Intent) -> Ledger:
        """With an intent committed."""
        return replace(self, open=intent)

    def closed(self, intent: Intent, outcome: Outcome, links: tuple[Counterpart, ...]) -> Ledger:
        """With its outcome and counterparts committed.

        What failed is forgotten: it only counts, so that the next try gets another request id. That a failed write had
        no effect is checked where it is closed; then both ids mean the same to Microsoft, and the states stay few.
        """
        settled = self.settled
        if outcome.kind is not OutcomeKind.FAILED:
            keeps_time = intent.kind is OpKind.SUSPEND
            bare = replace(outcome, at=outcome.at if keeps_time else STAMP, lines=(), detail="")
            settled = (*settled, (replace(intent, at=STAMP, baseline=()), bare))
        return Ledger(links=_merged(self.links, links), settled=settled)

    def noted(self, links: tuple[Counterpart, ...]) -> Ledger:
        """With counterparts committed."""
        return replace(self, links=_merged(self.links, links))


def _merged(known: tuple[Counterpart, ...], new: tuple[Counterpart, ...]) -> tuple[Counterpart, ...]:
    by_source = {one.source_id: one for one in (*known, *(_bare(one) for one in new))}
    return tuple(by_source[key] for key in sorted(by_source))


def _bare(one: Counterpart) -> Counterpart:
    """Without the times no decision looks at: only whether they are set matters."""
    return replace(
        one,
        verified_at=one.verified_at and STAMP,
        suspended_at=one.suspended_at and STAMP,
        withdrawn_at=one.withdrawn_at and STAMP,
    )


class Seen(NamedTuple):
    """What this drive has read; lost in a crash. ``at`` and ``target_at`` are moments."""

    at: int
    sources: tuple[Thing, ...]
    targets: tuple[Thing, ...]
    target_at: int
    suspended_since: frozenset[str] = frozenset()
    target_is_old: bool = False
    source_changed: bool = False  # somebody changed that side in the portal since it was read
    target_changed: bool = False


class State(NamedTuple):
    """All that matters for what can happen next. ``moment`` counts in the calendar, ``portal`` what people may do."""

    site: Site
    ledger: Ledger = Ledger()
    seen: Seen | None = None
    moment: int = 0
    approved: bool = True
    portal: int = 0
    moved: bool = False


class Step(NamedTuple):
    """One step: what happens, whether it is work, the end of a drive, luck or time, and what is wrong."""

    text: str
    state: State
    kind: str  # "work", "pause", "luck" or "time"
    wrong: str = ""


LAG = 15  # minutes until the list shows an order for certain (the settling time)


@dataclass(frozen=True)
class Calendar:
    """The moments at which things can happen: the same times of day on each of four days."""

    hours: tuple[tuple[int, int], ...]

    @cached_property
    def moments(self) -> tuple[datetime, ...]:
        """All of them."""
        return tuple(
            FIRST_DAY + timedelta(days=day, hours=hour, minutes=minute)
            for day in range(4)
            for hour, minute in self.hours
        )

    def minutes(self, moment: int) -> int:
        """Minutes from the first midnight."""
        return int((self.moments[moment] - FIRST_DAY).total_seconds() // 60)

    def day(self, moment: int) -> int:
        """The number of the day."""
        return (self.moments[moment] - FIRST_DAY).days


SHORT = Calendar(((20, 50), (21, 10), (23, 40)))
"""Work may begin; all has settled, every read is old, nothing new may begin; it is late."""
LONG = Calendar(((8, 0), (8, 3), (8, 20), (22, 0), (23, 40)))
"""Work may begin; reads are old; all has settled; nothing new may begin; it is late."""


def said(intent: Intent) -> str:
    """A call in a few words."""
    return f"{intent.kind.value}({', '.join(intent.subjects)})"

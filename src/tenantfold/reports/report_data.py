"""What a report says (reports room): one frozen value that the caller fills and the HTML page shows.

Every field is a fact the ledger recorded. The page adds nothing but sums and words, so what is empty here is shown as
not known, never as zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from tenantfold.domain.gdap import GdapCondition
from tenantfold.domain.gdap_overview import GdapCount
from tenantfold.domain.last_days import LastDay
from tenantfold.domain.states import Origin, Owner, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantLine:
    """One partner tenant: its short name, side ("source" or "target"), id, the company behind it, and its country."""

    key: str
    side: str
    tenant_id: str
    name: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotLine:
    """Which numbered read of a tenant the plan rests on, and when that read was complete (UTC)."""

    tenant: str
    number: int
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """The plan the report is about: its number, checksum (64 hex digits), when it was made and who approved it when.

    ``approved_at`` is None and ``approved_by`` empty while nobody did. ``snapshots`` are what it was built on.
    """

    number: int
    checksum: str
    created_at: datetime
    approved_at: datetime | None = None
    approved_by: str = ""
    snapshots: tuple[SnapshotLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One source subscription and what stands for it at the target.

    ``route`` is how it gets there; ``target_id`` and ``origin`` (how it came about) are empty until there is a
    counterpart; ``cutover_on`` is the UTC day the counterpart was created; the times are when each side was read back.
    """

    offer_name: str
    license_count: int
    route: str
    tenant: str
    source_id: str
    target_id: str = ""
    origin: str = ""
    cutover_on: date | None = None
    verified_at: datetime | None = None
    suspended_at: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do: suspended at the source, or, by any other route than recreate, verified."""
        ends_verified = bool(self.origin) and not Origin(self.origin).is_cutover
        return (self.verified_at if ends_verified else self.suspended_at) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One event of a customer: when (UTC), its name as in the log, and its facts as words."""

    at: datetime
    name: str
    facts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """One customer: how far it is, why, who must act next and what they must do; its subscriptions and history."""

    customer_id: str
    company_name: str
    phase: Phase
    reason: str = ""
    owner: Owner = Owner.NOBODY
    next_action: str = ""
    pairs: tuple[Pair, ...] = ()
    history: tuple[HistoryLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverDay:
    """How many subscriptions were cut over on one UTC day: suspended at the source on it.

    ``created``: ordered by us that day too. ``adopted``: the counterpart was there already. ``late``: the counterpart
    was created on an earlier day than the suspension, so both sides were billed over midnight (invariant 3).
    """

    on: date
    created: int = 0
    adopted: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """Writes of one kind to Microsoft: how many were intended, and how they ended. ``stranded``: no known outcome."""

    kind: str
    intents: int
    done: int = 0
    adopted: int = 0
    failed: int = 0
    stranded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """Calls to one route of an API: how many in all, how many were throttled (429) and how many failed otherwise."""

    route: str
    calls: int
    throttled: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLine:
    """Where one customer stands with delegated admin access: why, who acts next, and what was asked for and given.

    ``due_at`` is when a request that nobody answers expires, ``ends_at`` when the relationship ends (UTC). ``link`` is
    where this customer approves, and only while it is to; the page leaves it out. ``checked_at`` None: nobody looked.
    """

    customer_id: str
    company_name: str
    condition: GdapCondition
    reason: str = ""
    owner: Owner = Owner.NOBODY
    next_action: str = ""
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    due_at: datetime | None = None
    ends_at: datetime | None = None
    link: str = ""
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPart:
    """Delegated admin access of everybody: counts, and the customers the page lists, in the page's order."""

    counts: tuple[GdapCount, ...]
    checked_at: datetime | None = None
    customers: tuple[AccessLine, ...] = ()
    customers_left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Subscriptions and licenses the plan moves, and how many are moved: verified, and suspended at the source."""

    subscriptions: int = 0
    subscriptions_moved: int = 0
    licenses: int = 0
    licenses_moved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """Everything one report says, as it was at ``made_at`` (UTC).

    ``phases`` counts every customer of the newest plan. ``customers`` come in any order, the page puts those that
    need somebody first; ``customers_left_out`` says how many more there are than the page lists. ``calls_about`` says
    which calls ``calls`` counts, for example "this run". ``plan`` is None while there is none, ``access`` where the
    settings do not ask for delegated admin access. ``last_days`` are the days that must not be missed, soonest first.
    """

    consolidation: str
    made_at: datetime
    program: str
    tenants: tuple[TenantLine, ...]
    plan: PlanFacts | None
    phases: Mapping[Phase, int]
    counts: Counts = field(default_factory=Counts)
    cutovers: tuple[CutoverDay, ...] = ()
    customers: tuple[CustomerLine, ...] = ()
    customers_left_out: int = 0
    journal: tuple[JournalLine, ...] = ()
    calls: tuple[CallLine, ...] = ()
    calls_about: str = ""
    access: AccessPart | None = None
    last_days: tuple[LastDay, ...] = ()

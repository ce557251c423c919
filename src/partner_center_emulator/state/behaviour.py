"""State of how the pretended service behaves (state room): the fault plan, the pace, conduct, and support's work.

Plain structs; behaviour is in ``faults/``, ``pace.py``, ``strict.py`` and ``actors/``. Times are aware UTC of the
emulator's clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

FaultKind = Literal[
    "latency",
    "throttle_storm",
    "server_error",
    "reset",
    "lost_answer",
    "slow_body",
    "truncated_body",
    "truncated_json",
    "stale_list",
    "failed_line",
    "token_expires",
    "unknown_value",
    "repeated_page",
    "skipped_page",
    "duplicate_webhook",
    "late_webhook",
    "lost_webhook",
]
Distribution = Literal["fixed", "uniform", "normal", "lognormal", "exponential", "pareto"]
Passing = Literal["emulated", "real", "both"]


class Fault(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One fault of a plan: what goes wrong, for whom, how often, and its measures (docs/reference/emulator-faults.md).

    Empty ``methods``, ``tenants`` and ``customers`` mean all. ``route`` is ``"METHOD /template"`` or a template alone,
    ``*`` stands for anything.
    """

    kind: FaultKind
    name: str = ""  # unique in its plan; made from the kind if left out
    enabled: bool = True
    route: str = "*"
    methods: list[str] = []
    tenants: list[str] = []  # ids or keys of partner tenants
    customers: list[str] = []
    event: str = "*"  # webhooks only
    probability: float = 1.0
    skip: int = 0  # so many matching calls go well first
    count: int | None = None  # then at most so many go wrong
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    effect: Literal["before", "after"] = "before"  # reset, server_error: before or after the call took effect
    status: int = 503
    seconds: float = 30.0  # how long; for latency the middle of the distribution
    distribution: Distribution = "fixed"
    spread: float = 0.0  # uniform: plus or minus; normal: deviation; lognormal: sigma; pareto: shape
    most_seconds: float = 600.0
    passing: Passing = "emulated"  # which time a delay takes
    line: int = 0  # failed_line: which line of the order, from 0
    member: str = "status"
    value: str = "neverSeenBefore"
    copies: int = 2


class FaultPlan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong: a seed and the faults, asked in this order."""

    seed: int = 0
    faults: list[Fault] = []


class StaleImage(msgspec.Struct, kw_only=True):
    """A list as it was before a write; shown until ``until``."""

    until: datetime
    body: bytes  # JSON of the collection


class FaultState(msgspec.Struct, kw_only=True):
    """The plan and how far it has come; counters are kept, so that a snapshot goes on where it stood."""

    plan: FaultPlan = msgspec.field(default_factory=FaultPlan)
    matched: dict[str, int] = {}  # name of the fault -> calls that it could have hit
    fired: dict[str, int] = {}
    storms: dict[str, datetime] = {}  # "{fault}/{tenant}" -> when the storm is over
    stale: dict[str, list[StaleImage]] = {}  # "{tenant}/{route}/{path}" -> oldest first
    spent_tokens: list[str] = []  # digests of access tokens that lapsed before their time


class Pace(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a step of a lifecycle advances: at once, after it was read ``reads`` times, or after ``seconds``."""

    advance: Literal["at_once", "after_reads", "after_seconds"] = "at_once"
    reads: int = 0
    seconds: float = 0.0


class Waiting(msgspec.Struct, kw_only=True):
    """A step that is not done yet; exactly one of ``reads_left`` and ``due_at`` is set."""

    step: str
    subject_id: str
    tenant_id: str
    customer_id: str
    reads_left: int | None = None
    due_at: datetime | None = None


class PaceState(msgspec.Struct, kw_only=True):
    """Every step that is under way; key: ``"{step}/{subject id}"``."""

    waiting: dict[str, Waiting] = {}


class Advice(msgspec.Struct, kw_only=True):
    """What a client was told: not to ask again for something before a time; ``customers``: in calls about whom."""

    until: datetime
    given_at: datetime
    rule: Literal["ignored_retry_after", "polled_too_fast"]
    calls_since: int = 0
    customers: list[str] = []


class Unanswered(msgspec.Struct, kw_only=True):
    """A write that was cut off before it was looked at."""

    at: datetime
    request_id: str


class OpenList(msgspec.Struct, kw_only=True):
    """A list whose next page nobody has asked for yet."""

    since: datetime
    tenant_id: str
    path: str


class ConductState(msgspec.Struct, kw_only=True):
    """What is remembered of clients to judge their conduct."""

    advice: dict[str, Advice] = {}  # "{tenant}/{METHOD}/{path}"
    open_lists: dict[str, OpenList] = {}  # "{tenant}/{path}?{filter}"
    unanswered: dict[str, Unanswered] = {}  # "{tenant}/{METHOD}/{path}/{digest of the body}"
    charges: dict[str, str] = {}  # tenant -> sentence with which its next call fails (strict = "fail")


class SupportManner(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How Microsoft's support works: how long a step takes (hours), and how often and in what way it goes wrong."""

    median_hours: float = 8.0
    sigma: float = 0.6  # of the lognormal distribution of the delay
    mistake_probability: float = 0.0
    mistakes: list[str] = msgspec.field(default_factory=lambda: ["asks_back", "wrong_item", "partial"])


class HandOff(msgspec.Struct, kw_only=True):
    """One piece of work in the hands of Microsoft's support."""

    id: str
    kind: str  # who takes the result: a registered kind of work
    subject_id: str
    tenant_id: str
    customer_id: str
    handed_over_at: datetime
    due_at: datetime
    mistake: str = ""  # what this attempt will get wrong; empty: nothing
    attempt: int = 1
    status: Literal["open", "done", "withdrawn"] = "open"


class SupportState(msgspec.Struct, kw_only=True):
    """Microsoft's support: its manner and everything it was handed."""

    manner: SupportManner = msgspec.field(default_factory=SupportManner)
    hand_offs: dict[str, HandOff] = {}


class BehaviourState(msgspec.Struct, kw_only=True):
    """The one field of the World for everything above."""

    faults: FaultState = msgspec.field(default_factory=FaultState)
    pace: PaceState = msgspec.field(default_factory=PaceState)
    conduct: ConductState = msgspec.field(default_factory=ConductState)
    support: SupportState = msgspec.field(default_factory=SupportState)

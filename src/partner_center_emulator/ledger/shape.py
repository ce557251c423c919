"""The ledger's report as data (truth room): exactly the JSON of ``GET /_emulator/ledger``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from partner_center_emulator.ledger.money import Money
from partner_center_emulator.world import RequestTally, Violation

State = Literal["moved", "partly", "untouched", "not_movable"]
Way = Literal["recreated", "adopted", "transferred", "rebought", "by_hand", "azure_transferred", "azure_supported"]


class Twin(msgspec.Struct, kw_only=True):
    """More target subscriptions active at once than source subscriptions they can stand for."""

    customer_id: str
    offer_id: str
    source_subscription_ids: list[str]
    target_subscription_ids: list[str]
    excess: int  # how many are too many
    is_withdrawn: bool  # the surplus is no longer active; that it existed stays on record
    detail: str


class Gap(msgspec.Struct, kw_only=True):
    """A time in which seats of a source subscription stopped by the partner were served by no side."""

    customer_id: str
    subscription_id: str
    offer_id: str
    seats: int  # seats without service
    of_seats: int  # seats the source subscription had
    from_: datetime = msgspec.field(name="from")
    to: datetime | None  # None: still open
    seconds: float  # until now if still open
    seat_seconds: float


class Overlap(msgspec.Struct, kw_only=True):
    """Days on which both sides were active beyond the shared cutover date."""

    customer_id: str
    subscription_id: str
    counterpart_id: str
    utc_days: list[date]
    seats: int
    seat_days: int
    is_preexisting: bool = False  # both were active before the world's clock started: nobody's doing


class Difference(msgspec.Struct, kw_only=True):
    """One thing in which a moved subscription and its counterpart differ."""

    what: Literal[
        "counterpart",
        "status",
        "quantity",
        "offer",
        "billing_cycle",
        "partner_id_on_record",
        "parent",
        "term_duration",
        "term_end",
    ]
    source: str
    target: str


class Unequal(msgspec.Struct, kw_only=True):
    """A moved source subscription whose counterpart is missing or different."""

    customer_id: str
    subscription_id: str
    counterpart_id: str | None
    differences: list[Difference]


class Move(msgspec.Struct, kw_only=True):
    """How one thing of a source got to the target. Azure subscriptions and reservations keep their id."""

    subject_id: str
    way: Way
    at: datetime  # when it ended at the source, or its bill moved
    counterpart_id: str


class BilledSuspension(msgspec.Struct, kw_only=True):
    """A partner's call suspended new commerce: people are locked out and the bill goes on (R-135)."""

    customer_id: str
    subscription_id: str
    offer_name: str
    at: datetime


class AzureFault(msgspec.Struct, kw_only=True):
    """An Azure subscription nobody pays for, or two do; or a plan bought for a customer without Azure."""

    kind: Literal["unpaid", "double", "needless_plan"]
    customer_id: str
    subject_id: str
    from_: datetime = msgspec.field(name="from")
    to: datetime | None = None  # None: still so


class Parity(msgspec.Struct, kw_only=True):
    """How many source subscriptions the partner stopped, and how many of them live on equally at the target."""

    moved: int = 0
    equal: int = 0
    unequal: list[Unequal] = []


class CustomerVerdict(msgspec.Struct, kw_only=True):
    """One customer in short."""

    customer_id: str
    company_name: str
    state: State
    source_tenants: list[str]  # keys of the source tenants that sell to it
    has_target_relationship: bool
    movable: int  # source subscriptions, trials left out, that were in use at some time; Azure by Azure subscription
    moved: int  # of these, over at the source and with a counterpart at the target
    source_active: int
    target_active: int
    twins: int = 0
    gaps: int = 0
    overlap_seat_days: int = 0
    unequal: int = 0
    moves: list[Move] = []


class Totals(msgspec.Struct, kw_only=True):
    """Everything counted; what must be zero comes first."""

    twins: int = 0
    gaps: int = 0
    gap_seconds: float = 0.0
    gap_seat_seconds: float = 0.0
    overlaps: int = 0
    overlap_seat_days: int = 0
    preexisting_overlap_seat_days: int = 0
    unequal: int = 0
    billed_suspensions: int = 0
    azure_faults: int = 0
    violations: int = 0
    customers: int = 0
    moved: int = 0
    partly: int = 0
    untouched: int = 0
    not_movable: int = 0
    ways: dict[str, int] = {}  # how many things moved by each way
    calls: int = 0
    throttled: int = 0
    errors: int = 0


class LedgerReport(msgspec.Struct, kw_only=True):
    """The ledger's whole answer; ``customers`` is only there when asked for."""

    clock: datetime
    wall: datetime
    twins: list[Twin]
    gaps: list[Gap]
    overlaps: list[Overlap]
    parity: Parity
    calls: dict[str, RequestTally]
    violations: list[Violation]
    totals: Totals
    billed_suspensions: list[BilledSuspension] = []
    azure_faults: list[AzureFault] = []
    money: Money = msgspec.field(default_factory=Money)
    customers: list[CustomerVerdict] | msgspec.UnsetType = msgspec.UNSET

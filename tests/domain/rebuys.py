"""Tests of what runs out and is bought again: sample values. New commerce "n1", yearly, ends with 1 September 2026."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import OfferId, OrderId, OrderLine, Route, Subscription, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart, Origin
from tests.domain.samples import C1, ORDER, SE, TARGET, case, observation, plan_customer
from tests.domain.transfers import ENDS, seats, seats_item

SKU = OfferId("CFQ7TTC0LCHC:0002")
SOLD_NOW = OfferId(f"{SKU}:CFQ7TTC0NEWER")
LAST_DAY = datetime.combine(ENDS, time.min, tzinfo=UTC)
EARLY = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def on(day: date, hour: int = 9) -> datetime:
    """A time of a day."""
    return datetime.combine(day, time(hour), tzinfo=UTC)


def ending(name: str = "n1", /, **fields: object) -> Subscription:
    """The source: active, told not to renew."""
    return seats(name, **({"auto_renew": False} | fields))


def ending_item(name: str = "n1", /, **fields: object) -> PlanItem:
    """Its plan item."""
    return seats_item(name, **({"route": Route.EXPIRE_AND_REBUY} | fields))


def again(name: str = "t1", /, **fields: object) -> Subscription:
    """What was bought of it at the target: the same product and SKU, by the catalog item of that day."""
    given: dict[str, object] = {
        "tenant_id": TARGET,
        "offer_id": SOLD_NOW,
        "order_id": ORDER,
        "commitment_end_on": ENDS + timedelta(days=365),
        "auto_renew": True,
    }
    return seats(name, **(given | fields))


def confirmed(task: TaskKind, name: str = "n1", /, **fields: object) -> Evidence:
    """What a person confirmed."""
    value = Evidence(
        customer_id=C1, subscription_id=SubscriptionId(name), task=task, note="seen", by="Eva", at=on(date(2026, 5, 20))
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


CHOSEN = confirmed(TaskKind.END_OF_TERM_CHOSEN)
SAFE = confirmed(TaskKind.DATA_SAFE)


def running_out(*items: PlanItem, **fields: object) -> Case:
    """A customer whose items run out; the choice against the Extended Service Term is confirmed."""
    chosen = items or (ending_item(),)
    given: dict[str, object] = {
        "customer": plan_customer(*chosen),
        "evidence": tuple(confirmed(TaskKind.END_OF_TERM_CHOSEN, one.subscription_id) for one in chosen),
    }
    return case(**(given | fields))


def seen(at: datetime, *subscriptions: Subscription, **fields: object) -> Observation:
    """A read at a time."""
    return observation(*subscriptions, at=at, **fields)


def rebought(name: str = "n1", target: str | None = "t1", /, **fields: object) -> Counterpart:
    """What was bought for it, not verified yet."""
    value = Counterpart(
        source_id=SubscriptionId(name),
        target_id=SubscriptionId(target) if target else None,
        order_id=ORDER,
        origin=Origin.REBOUGHT,
        cutover_on=ENDS,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def again_line(name: str = "n1", /, **fields: object) -> OrderLine:
    """The line that buys it."""
    value = OrderLine(
        source_subscription_id=SubscriptionId(name),
        offer_id=SKU,
        license_count=5,
        friendly_name="Everybody",
        term_duration="P1Y",
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def buy_intent(*lines: OrderLine, **fields: object) -> Intent:
    """The intent of buying on the last day."""
    wanted = lines or (again_line(),)
    value = Intent(
        key="again",
        plan_id=1,
        customer_id=C1,
        tenant_id=TARGET,
        kind=OpKind.BUY_AGAIN,
        at=LAST_DAY,
        subjects=tuple(one.source_subscription_id for one in wanted),
        billing_cycle="monthly",
        lines=wanted,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def stop_intent(name: str = "n1", /, **fields: object) -> Intent:
    """The intent of turning the renewal off."""
    value = Intent(
        key=f"stop-{name}",
        plan_id=1,
        customer_id=C1,
        tenant_id=SE,
        kind=OpKind.STOP_RENEWAL,
        at=EARLY,
        subjects=(SubscriptionId(name),),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


OTHER_ORDER = OrderId("order-2")

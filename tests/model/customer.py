"""One customer's world: every step that can follow a state.

The decisions are the product's own (``next_action``, ``intent_for``, ``counterparts_of``, ``reactivated``); this file
only does what ``flow.cutover`` does with them, one commit or call at a time, and asks at each of these boundaries
everything that can go wrong there. A crash between two boundaries leaves what was committed and forgets the read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from tenantfold.domain import actions, course, intents, pairing
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import (
    CustomerId,
    OfferId,
    OrderId,
    PlacedLine,
    Route,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanItem, PlanRecord
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Owner, Phase, Progress
from tests.model import judge, microsoft
from tests.model.microsoft import Site, Thing
from tests.model.state import (
    CONTACT,
    HEADER,
    LAG,
    SE,
    SHORT,
    STAMP,
    TARGET,
    Calendar,
    Ledger,
    Seen,
    State,
    Step,
    said,
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A kind of world to explore."""

    name: str
    sources: tuple[Thing, ...]
    policy: Policy = field(default_factory=Policy)
    remembers_requests: bool = False
    calendar: Calendar = SHORT
    portal: int = 1  # changes people may make in the portals, along one path
    struck_until: int = 4  # the first moment at which the world is well-behaved again
    customer: str = "c1"

    def start(self) -> State:
        """An accepted customer of an approved plan; nothing was done yet."""
        return State(site=Site(sources=self.sources), portal=self.portal)

    def subscription(self, thing: Thing, tenant: TenantId) -> Subscription:
        """A thing as the domain reads it."""
        return Subscription(
            id=SubscriptionId(thing.name),
            tenant_id=tenant,
            customer_id=CustomerId(self.customer),
            offer_id=OfferId(thing.offer),
            offer_name=thing.offer,
            friendly_name=thing.offer,
            license_count=thing.count,
            wire_status=thing.status,
            billing_type="license",
            billing_cycle=thing.cycle,
            order_id=OrderId(thing.order),
            parent_id=SubscriptionId(thing.parent) if thing.parent else None,
            etag=f"v{thing.version}",
        )

    def plan_customer(self) -> PlanCustomer:
        """The customer as it was approved."""
        return PlanCustomer(
            customer_id=CustomerId(self.customer),
            company_name="Ekdal AB",
            country="SE",
            source_tenant_ids=(SE,),
            disposition=Disposition.MOVE,
            items=tuple(_item(one) for one in self.sources),
            contact=CONTACT,
        )


def _item(thing: Thing) -> PlanItem:
    return PlanItem(
        subscription_id=SubscriptionId(thing.name),
        tenant_id=SE,
        offer_id=OfferId(thing.offer),
        offer_name=thing.offer,
        friendly_name=thing.offer,
        license_count=thing.count,
        billing_cycle=thing.cycle,
        wire_status=thing.status,
        route=Route.RECREATE,
        target_offer_id=OfferId(thing.offer),
        parent_id=SubscriptionId(thing.parent) if thing.parent else None,
    )


class Customer:
    """The rules of one customer's world; remembers what it has computed, so a mutated core needs a new one."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.judged_by = judge.Rules(variant.policy, variant.calendar)
        self._plan_customer = variant.plan_customer()
        self._progress = Progress(
            customer_id=CustomerId(variant.customer), phase=Phase.ACCEPTED, accepted_at=STAMP, version=1
        )
        self._actions: dict[tuple[Ledger, Seen | None, int, bool], actions.Action] = {}
        self._subscriptions: dict[tuple[Thing, TenantId], Subscription] = {}

    # --- what the core sees ---

    def case(self, state: State) -> Case:
        """The case as the ledger would load it."""
        ledger = state.ledger
        return Case(
            plan=PlanRecord(
                id=1, header=HEADER, checksum="", created_at=STAMP, approved_at=STAMP if state.approved else None
            ),
            customer=self._plan_customer,
            progress=self._progress,
            counterparts=ledger.links,
            open_intents=(ledger.open,) if ledger.open else (),
            settled=ledger.settled,
        )

    def observation(self, state: State) -> Observation | None:
        """The read of this drive as the core gets it."""
        seen = state.seen
        if seen is None:
            return None
        return Observation(
            at=self.variant.calendar.moments[seen.at],
            source={SubscriptionId(one.name): self._subscription(one, SE) for one in seen.sources},
            target={SubscriptionId(one.name): self._subscription(one, TARGET) for one in seen.targets},
            ordered_as={
                line.source_subscription_id: (line.offer_id, line.license_count)
                for intent, _ in state.ledger.settled
                for line in intent.lines
            },
            suspended_since=frozenset(SubscriptionId(one) for one in seen.suspended_since),
            target_is_old=seen.target_is_old,
            target_at=self.variant.calendar.moments[seen.target_at],
        )

    def _subscription(self, thing: Thing, tenant: TenantId) -> Subscription:
        key = (thing, tenant)
        if key not in self._subscriptions:
            self._subscriptions[key] = self.variant.subscription(thing, tenant)
        return self._subscriptions[key]

    def action(self, state: State) -> actions.Action:
        """The core's answer."""
        key = (state.ledger, state.seen, state.moment, state.approved)
        if key not in self._actions:
            self._actions[key] = course.next_action(
                self.case(state), self.observation(state), self.now(state), self.variant.policy
            )
        return self._actions[key]

    # --- what can happen ---

    def steps(self, state: State) -> Iterator[Step]:
        """Every step from a state. Nothing follows once the customer has moved."""
        if state.moved:
            return
        struck = self.is_struck(state)
        for step in self._work(state):
            if step.kind != "pause" or struck:
                yield step
            elif state.moment + 1 < len(self.variant.calendar.moments):  # in the quiet end a drive that ends waits
                after = step.state._replace(moment=state.moment)
                yield Step(f"{step.text}; {self._time(state)}", self.later(after), "time", step.wrong)
        if struck:
            yield from self._luck(state)
            yield Step(self._time(state), self.later(state), "time")

    def is_struck(self, state: State) -> bool:
        """Whether anything can still go wrong."""
        return state.moment < self.variant.struck_until

    def now(self, state: State) -> datetime:
        """The time."""
        return self.variant.calendar.moments[state.moment]

    def is_end(self, state: State) -> bool:
        """Whether the customer has moved, or a person is told why not and must act (invariant 8)."""
        if state.moved:
            return True
        action = self.action(state)
        if isinstance(action, actions.Pause):
            refusal = action.refusal
            return refusal.owner not in {Owner.TENANTFOLD, Owner.MICROSOFT} and bool(
                refusal.detail and refusal.next_action
            )
        if not isinstance(action, actions.BuyAddOns | actions.Resend):
            return False
        return any(step.kind == "pause" and "Microsoft refuses:" in step.text for step in self._work(state))

    def _time(self, state: State) -> str:
        return f"time passes: {self.variant.calendar.moments[state.moment + 1]:%d %b %H:%M}"

    def later(self, state: State) -> State:
        """The next moment; the list has caught up with what is old enough.

        A drive may be held up once with what it has read (a process that was frozen); held up twice it has died.
        """
        moment = state.moment + 1
        seen = state.seen if state.seen is not None and state.seen.at == state.moment else None
        site = microsoft.shown(state.site, self.variant.calendar.minutes(moment))
        return state._replace(moment=moment, site=site, seen=seen)

    def _luck(self, state: State) -> Iterator[Step]:
        if state.seen is not None:
            yield Step("the program dies", state._replace(seen=None), "luck")
        for one in state.site.targets:
            if not one.shows:
                shown = tuple(two._replace(shows=True) if two is one else two for two in state.site.targets)
                yield Step(
                    f"{one.name} shows up in the list", state._replace(site=replace(state.site, targets=shown)), "luck"
                )
        if not state.approved:
            yield Step("the newer plan is approved", state._replace(approved=True), "luck")
        if state.portal:
            yield from self._portal(state)

    def _portal(self, state: State) -> Iterator[Step]:
        """What people do behind our back."""
        site, left = state.site, state._replace(portal=state.portal - 1)
        source, target = _touched(state)
        if state.approved:
            yield Step("a newer plan waits for approval", left._replace(approved=False), "luck")
        for one in site.sources:
            if one.status == "active":
                more = site.changed(one, count=one.count + 1)
                yield Step(f"somebody adds a license to {one.name}", left._replace(site=more, seen=source), "luck")
        day, shows_at = self.variant.calendar.day(state.moment), self.variant.calendar.minutes(state.moment) + LAG
        like = next(one for one in site.sources if one.parent is None)
        twin = microsoft.ordered_by_hand(site, like, day, shows_at)
        yield Step("somebody orders the same at the target by hand", left._replace(site=twin, seen=target), "luck")
        for one in site.targets:
            if one.status == "active":
                off = site.changed(one, status="suspended")
                yield Step(f"somebody suspends {one.name} at the target", left._replace(site=off, seen=target), "luck")

    # --- what the program does: ``_Drive._carry_out``, one boundary at a time ---

    def _work(self, state: State) -> Iterator[Step]:
        action = self.action(state)
        match action:
            case actions.Observe():
                yield Step("reads both sides", state._replace(seen=_read(state, action)), "work")
            case actions.Pause(refusal=refusal):
                yield Step(f"waits: {refusal.code.value}", state._replace(seen=None), "pause")
            case actions.Link(counterparts=found) | actions.MarkVerified(counterparts=found):
                text = f"notes {type(action).__name__} of {', '.join(one.source_id for one in found)}"
                yield Step(text, state._replace(ledger=state.ledger.noted(found)), "work")
            case actions.MarkSuspended(counterparts=found, finished=finished):
                ledger = state.ledger.noted(found)
                moved = state._replace(ledger=ledger, moved=finished, seen=None if finished else state.seen)
                yield Step("notes: moved" if finished else "notes: all sources read suspended", moved, "work")
            case actions.MarkWithdrawn(counterparts=found):
                withdrawn = state._replace(ledger=state.ledger.noted(found), seen=None)
                yield Step("notes: withdrawn", withdrawn, "pause")
            case actions.AdoptOutcome(intent=intent, outcome=outcome):
                yield self._adopt(state, intent, outcome)
            case actions.Resend(intent=intent):
                yield from self._again(state, intent)
            case actions.MarkArrived():
                raise AssertionError("the world of this model has legacy licenses only")
            case _:
                intent = intents.intent_for(
                    action, self.case(state), self.observation(state), "model", TARGET, self.now(state)
                )
                yield from self._send(state, intent, "sends")

    def _again(self, state: State, intent: Intent) -> Iterator[Step]:
        """What creates is closed and sent again as an intent of its own; what changes a status is just sent again."""
        if not intent.kind.creates:
            yield from self._send(state, intent, "sends again")
            return
        wrong = f"{said(intent)} took effect and is sent again" if state.site.made_by(str(intent.request_id)) else ""
        failed = self._outcome(intent, OutcomeKind.FAILED, state)
        closed = state._replace(ledger=state.ledger.closed(intent, failed, ()))
        again = intents.sent_again(intent, "model", self.now(state))
        if self.is_struck(state):
            text = f"closes {said(intent)} to send it again; the program dies"
            yield Step(text, closed._replace(seen=None), "luck", "" if self.variant.remembers_requests else wrong)
        yield from self._send(closed, again, "sends again")

    def _adopt(self, state: State, intent: Intent, outcome: Outcome) -> Step:
        wrong = judge.adopted(state, intent, outcome)
        after = self._succeeded(state, intent, outcome)
        text = "finds done" if outcome.kind is OutcomeKind.ADOPTED else "closes without effect"
        return Step(f"{text}: {said(intent)}", after, "work", wrong)

    def _succeeded(self, state: State, intent: Intent, outcome: Outcome) -> State:
        """Outcome and counterparts in one commit, and what the write makes of the read (``_succeeded``)."""
        now = self.now(state)
        created_on = now.date() if outcome.kind is OutcomeKind.DONE else intent.at.date()
        taken = {one.target_id for one in state.ledger.links if one.target_id is not None}
        links = pairing.counterparts_of(intent, outcome, taken, created_on)
        links += pairing.reactivated(intent, outcome, state.ledger.links, created_on)
        seen = state.seen
        if seen is not None and intent.kind is OpKind.SUSPEND:
            since = (
                seen.suspended_since
                if outcome.kind is not OutcomeKind.DONE
                else seen.suspended_since | set(intent.subjects)
            )
            seen = seen._replace(suspended_since=since)
        elif seen is not None and intent.kind is not OpKind.ATTEST_AGREEMENT:
            seen = seen._replace(target_is_old=True)
        return state._replace(ledger=state.ledger.closed(intent, outcome, links), seen=seen)

    def _send(self, state: State, intent: Intent, verb: str) -> Iterator[Step]:
        """The intent is committed, the call leaves: lost, refused, or with effect and with or without an answer."""
        text = f"{verb} {said(intent)}"
        wrong = judge.before_write(state, intent, self.judged_by, self._plan_customer)
        is_struck = self.is_struck(state)
        in_doubt = state._replace(ledger=state.ledger.opened(intent), seen=None)
        closed = state._replace(
            ledger=state.ledger.closed(intent, self._outcome(intent, OutcomeKind.FAILED, state), ()), seen=None
        )
        if is_struck:
            yield Step(f"{text}; it gets lost on the way (or the program dies before)", in_doubt, "luck", wrong)
            yield Step(f"{text}; Microsoft refuses", closed, "luck", wrong)
        try:
            site, outcome = self._effect(state, intent)
        except microsoft.RefusedByMicrosoft as error:
            yield Step(f"{text}; Microsoft refuses: {error}", closed, "pause", wrong)
            return
        except microsoft.Stale:
            yield Step(f"{text}; it changed since it was read", closed, "work", wrong)
            return
        wrong = wrong or judge.effect(state, site)
        if is_struck:
            yield Step(
                f"{text}; the answer is lost (or the program dies after)", in_doubt._replace(site=site), "luck", wrong
            )
        yield Step(text, self._succeeded(state._replace(site=site), intent, outcome), "work", wrong)
        if is_struck and outcome.lines:
            late = replace(outcome, lines=tuple(replace(one, subscription_id=None) for one in outcome.lines))
            after = self._succeeded(state._replace(site=site), intent, late)
            yield Step(f"{text}; the answer shows no subscription ids yet", after, "luck", wrong)

    def _outcome(self, intent: Intent, kind: OutcomeKind, state: State) -> Outcome:
        return Outcome(intent_key=intent.key, kind=kind, at=self.now(state))

    def _effect(self, state: State, intent: Intent) -> tuple[Site, Outcome]:
        """What the call does at Microsoft and how it is answered. Raises RefusedByMicrosoft or Stale."""
        site, done = state.site, self._outcome(intent, OutcomeKind.DONE, state)
        known = site.made_by(str(intent.request_id)) if self.variant.remembers_requests else None
        if intent.lines:
            name = known
            if name is None:
                shows_at = self.variant.calendar.minutes(state.moment) + LAG
                site, name = microsoft.order(site, intent, self.variant.calendar.day(state.moment), shows_at)
            lines = tuple(
                PlacedLine(
                    offer_id=OfferId(one.offer),
                    license_count=one.count,
                    subscription_id=SubscriptionId(one.name),
                    parent_id=SubscriptionId(one.parent) if one.parent else None,
                )
                for one in microsoft.lines_of(site, name)
            )
            return site, replace(done, order_id=OrderId(name), lines=lines)
        if known is not None:
            return site, done
        if intent.kind is OpKind.ATTEST_AGREEMENT:
            return microsoft.attest(site, str(intent.request_id)), done
        return self._status_changed(state, intent), done

    def _status_changed(self, state: State, intent: Intent) -> Site:
        seen = state.seen
        if seen is None:
            raise AssertionError(f"{said(intent)} is sent without any read")
        name = intent.subjects[0] if intent.kind is OpKind.SUSPEND else intent.target_id
        read = next(one for one in (*seen.sources, *seen.targets) if one.name == name)
        # what our own write made of it is what our own answer said: that is the eTag sent back
        status = "active" if intent.kind is OpKind.REACTIVATE else "suspended"
        return microsoft.set_status(
            state.site, read, status, str(intent.request_id), self.variant.calendar.day(state.moment)
        )


def _read(state: State, wanted: actions.Observe) -> Seen:
    """A fresh read, or half of one beside what was read before."""
    old, now = state.seen, state.moment
    keep_target = old if wanted.sources_only else None
    keep_source = old if wanted.target_only else None
    known = keep_target or keep_source
    return Seen(
        at=known.at if known else now,
        sources=keep_source.sources if keep_source else state.site.sources,
        targets=keep_target.targets if keep_target else state.site.listed(),
        target_at=keep_target.target_at if keep_target else now,
        source_changed=keep_source.source_changed if keep_source else False,
        target_changed=keep_target.target_changed if keep_target else False,
    )


def _touched(state: State) -> tuple[Seen | None, Seen | None]:
    """The read, marked as outdated on the source side and on the target side."""
    seen = state.seen
    if seen is None:
        return None, None
    return seen._replace(source_changed=True), seen._replace(target_changed=True)

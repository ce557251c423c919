"""The verdict on one customer (truth room): pairing over all its offers, then twins, gaps, overlaps, parity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from partner_center_emulator.catalog import is_purchasable
from partner_center_emulator.ledger.matching import Lane, Pair, PairCost, lane_seats, lay_lanes, pair_family, seats_of
from partner_center_emulator.ledger.shape import Difference, Gap, Move, Overlap, Parity, Twin, Unequal, Way
from partner_center_emulator.ledger.timeline import Step, Track, family_of
from partner_center_emulator.ledger.verdict import find_differences, find_gaps, find_overlaps, observe, pair_cost
from partner_center_emulator.ledger.ways import term_differences, way_of
from partner_center_emulator.products.availability import is_sold
from partner_center_emulator.world import World

# A source in one of these states at the world's start has nothing left that a target could stand for.
_OVER = frozenset({"deleted", "disabled"})


class Findings(msgspec.Struct):
    """What was found at one customer."""

    twins: list[Twin] = []
    gaps: list[Gap] = []
    overlaps: list[Overlap] = []
    parity: Parity = msgspec.field(default_factory=Parity)
    movable: int = 0
    moved: int = 0
    begun: bool = False  # the partner stopped or created anything
    served: list[Pair] = []  # source subscriptions with what stands for them
    moves: list[Move] = []


class _Account:
    """Pairing in progress for one customer."""

    def __init__(self, world: World, now: datetime, sources: Sequence[Track], targets: Sequence[Track]) -> None:
        self.world = world
        self.now = now
        self.sources = [track for track in sources if track.steps[0].status not in _OVER or track.was_active]
        self.targets = targets
        self.pairs: list[Pair] = []
        self.unmatched: list[Track] = []
        self.surplus: list[Lane] = []

    def pair_all(self) -> None:
        """Pair base subscriptions, then add-ons, then what stands for offers that are gone."""
        for add_ons in (False, True):
            cost = self._cost()
            for offer_id in self._offers(add_ons=add_ons):
                sources = [t for t in self.sources if _family(t) == offer_id]
                lanes = lay_lanes(t for t in self.targets if _family(t) == offer_id)
                pairs, unmatched, surplus = pair_family(sources, lanes, cost)
                self.pairs += pairs
                self.unmatched += unmatched
                self.surplus += surplus
        self._map_offers_that_are_gone()

    def lane_ids(self) -> dict[str, frozenset[str]]:
        """Return source subscription id -> ids of the target subscriptions that stand for it."""
        return {pair.source.subscription.id: frozenset(pair.lane.ids) for pair in self.pairs if pair.lane}

    def _offers(self, *, add_ons: bool) -> list[str]:
        used = dict.fromkeys(_family(track) for track in (*self.sources, *self.targets))
        return [offer_id for offer_id in used if self._is_add_on(offer_id) == add_ons]

    def _is_add_on(self, offer_id: str) -> bool:
        offer = self.world.offers.get(offer_id)
        return offer is not None and offer.is_add_on

    def _cost(self) -> PairCost:
        counterparts = self.lane_ids()

        def cost(source: Track, lane: Lane | None) -> tuple[float, ...]:
            base = source.subscription.parent_subscription_id
            wanted = counterparts.get(base, frozenset()) if base else frozenset()
            parents = {spell.subscription.parent_subscription_id for spell in lane.spells} if lane else set()
            strange = int(not parents & wanted) if base else self._strange_children(source, lane)
            return pair_cost(source, lane, self.now, strange_family=strange)

        return cost

    def _strange_children(self, source: Track, lane: Lane | None) -> int:
        """Return how many add-ons of a base have no equal under a lane: among equal bases, family tells them apart."""
        ids = frozenset(lane.ids) if lane else frozenset()
        mine = Counter(
            _kind(one) for one in self.sources if one.subscription.parent_subscription_id == source.subscription.id
        )
        theirs = Counter(_kind(one) for one in self.targets if one.subscription.parent_subscription_id in ids)
        return (mine - theirs).total()

    def _map_offers_that_are_gone(self) -> None:
        # the strictest reading first: named replacement with equal seats, any offer with equal seats, replacement alone
        passes: tuple[Callable[[frozenset[str], Track, Lane], bool], ...] = (
            lambda named, source, lane: lane.offer_id in named and lane_seats(lane) == seats_of(source),
            lambda _, source, lane: lane.is_new and lane_seats(lane) == seats_of(source),
            lambda named, _, lane: lane.is_new and lane.offer_id in named,
        )
        for accepts in passes:
            for source in list(self.unmatched):
                named = self._named_for_what_is_gone(source)
                if named is None:
                    continue
                lane = next((x for x in self.surplus if self._same_kind(source, x) and accepts(named, source, x)), None)
                if lane is not None:
                    self.unmatched.remove(source)
                    self.surplus.remove(lane)
                    self.pairs.append(Pair(source, lane))

    def _named_for_what_is_gone(self, source: Track) -> frozenset[str] | None:
        """Return the named replacements of what the customer cannot buy any more; None for what is sold."""
        subscription = source.subscription
        customer = self.world.customers.get(subscription.customer_id)
        if subscription.id in self.world.commerce.terms:
            is_gone = customer is None or not self._sells(_family(source), customer.address.country)
            return frozenset() if is_gone else None  # the catalog of new commerce names no successors
        offer = self.world.offers.get(subscription.offer_id)
        if offer is None or (customer is not None and is_purchasable(offer, customer.address.country)):
            return None
        return frozenset(offer.replaced_by)

    def _sells(self, family: str, country: str) -> bool:
        product_id, _, sku_id = family.partition(":")
        product = self.world.commerce.products.get(product_id)
        skus = product.skus if product is not None else []
        return any(sku.id == sku_id and is_sold(sku, country) for sku in skus)

    def _same_kind(self, source: Track, lane: Lane) -> bool:
        return self._is_add_on(source.subscription.offer_id) == self._is_add_on(lane.offer_id)


def _family(track: Track) -> str:
    return family_of(track.subscription.offer_id)


def _kind(track: Track) -> tuple[str, int]:
    return _family(track), seats_of(track)


def judge_customer(world: World, now: datetime, sources: Sequence[Track], targets: Sequence[Track]) -> Findings:
    """Return what the record says about one customer's subscriptions at the source tenants and at the target."""
    account = _Account(world, now, sources, targets)
    account.pair_all()
    findings = Findings(twins=_twins(account))
    findings.served = account.pairs
    counterparts = account.lane_ids()
    for pair in (*account.pairs, *(Pair(source, None) for source in account.unmatched)):
        moments = observe(pair.source, pair.lane)
        findings.gaps += find_gaps(pair.source, moments, now)
        if pair.lane is not None:
            findings.overlaps += find_overlaps(pair.source, pair.lane, moments, now)
        _weigh(world, findings, pair, counterparts)
    findings.begun = findings.begun or any(lane.is_new for lane in account.surplus)
    return findings


def _weigh(world: World, findings: Findings, pair: Pair, counterparts: dict[str, frozenset[str]]) -> None:
    source = pair.source
    found = way_of(pair)
    stopped = found[1] if found is not None else source.stopped_by_partner
    is_movable = source.was_in_use and not source.subscription.is_trial
    findings.movable += is_movable
    findings.begun = findings.begun or stopped is not None or (pair.lane is not None and pair.lane.is_new)
    if stopped is None:
        return
    findings.moved += is_movable and pair.lane is not None
    findings.parity.moved += 1
    differences, counterpart_id = _compare(pair, stopped, counterparts)
    if found is not None:
        differences += term_differences(world, pair, found[0])
        findings.moves.append(_move(source, found[0], stopped, counterpart_id))
    if not differences:
        findings.parity.equal += 1
        return
    findings.parity.unequal.append(
        Unequal(
            customer_id=source.subscription.customer_id,
            subscription_id=source.subscription.id,
            counterpart_id=counterpart_id,
            differences=differences,
        )
    )


def _move(source: Track, way: Way, ended: Step, counterpart_id: str | None) -> Move:
    return Move(subject_id=source.subscription.id, way=way, at=ended.at, counterpart_id=counterpart_id or "")


def _compare(pair: Pair, stopped: Step, counterparts: dict[str, frozenset[str]]) -> tuple[list[Difference], str | None]:
    mine = pair.source.subscription
    if pair.lane is None:
        return [Difference(what="counterpart", source=mine.id, target="")], None
    base = mine.parent_subscription_id
    differences = find_differences(
        pair.source,
        pair.lane,
        stopped,
        mapped=pair.lane.offer_id != family_of(mine.offer_id),
        parents=counterparts.get(base, frozenset()) if base else None,
    )
    return differences, pair.lane.ids[-1]


def _twins(account: _Account) -> list[Twin]:
    twins: list[Twin] = []
    surplus = [lane for lane in account.surplus if lane.is_new]
    for offer_id in dict.fromkeys(lane.offer_id for lane in surplus):
        extra = [lane for lane in surplus if lane.offer_id == offer_id]
        sources = [t.subscription.id for t in account.sources if _family(t) == offer_id]
        targets = [t.subscription.id for t in account.targets if _family(t) == offer_id and t.was_active]
        twins.append(
            Twin(
                customer_id=extra[0].spells[0].subscription.customer_id,
                offer_id=offer_id,
                source_subscription_ids=sources,
                target_subscription_ids=targets,
                excess=len(extra),
                is_withdrawn=not any(lane.is_active for lane in extra),
                detail=f"{len(targets)} target subscription(s), {len(extra)} more active at once than the "
                f"{len(sources)} source subscription(s) they can stand for",
            )
        )
    return twins

"""Which target subscription stands for which source subscription of a customer (truth room).

Target subscriptions of one offer are first laid into *lanes*: one lane holds spells of service that never fell together
(one withdrawn, the next created or reactivated). The number of lanes is the largest number active at once, so every
lane beyond the number of source subscriptions is a twin.

Lanes and sources of one offer are then paired one to one. Licenses of one offer are one pool in the customer's tenant
(commerce reference 3.6), so among all pairings the one with the least missing service counts; then the one with the
least difference in seats, then the right parent, then the least overlap, then creation order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import permutations

import msgspec

from partner_center_emulator.ledger.timeline import START, Step, Track, family_of
from partner_center_emulator.world import Subscription

# Up to this many sources or lanes every pairing is tried; larger families are paired in order.
_TRY_ALL = 5
_NEVER = 1 << 62

Cost = tuple[float, ...]


class Lane(msgspec.Struct):
    """Spells of service of target subscriptions of one offer, one after the other.

    A spell is a track cut to one time in service: from the step that began it to the one that ended it.
    """

    spells: list[Track]

    @property
    def offer_id(self) -> str:
        """The offer of the lane; of new commerce the part that stays."""
        return family_of(self.spells[0].subscription.offer_id)

    @property
    def ids(self) -> list[str]:
        """The ids of its subscriptions, oldest first."""
        return list(dict.fromkeys(spell.subscription.id for spell in self.spells))

    @property
    def is_new(self) -> bool:
        """Whether any of it came into service since the world began."""
        return any(_begin(spell) != START for spell in self.spells)

    @property
    def is_active(self) -> bool:
        """Whether it is in service now."""
        return self.spells[-1].steps[-1].status == "active"

    @property
    def start_seats(self) -> int:
        """Seats in service when the world began."""
        first = self.spells[0]
        return first.steps[0].seats if _begin(first) == START else 0

    @property
    def steps(self) -> list[Step]:
        """The steps of all its spells in the order of the record."""
        return [step for spell in self.spells for step in spell.steps]

    def serving(self, sequence: int) -> Track:
        """Return the spell that was, or was last, in service at a place in the record."""
        begun = [spell for spell in self.spells if _begin(spell) <= sequence]
        return begun[-1] if begun else self.spells[0]


class Pair(msgspec.Struct):
    """A source subscription with the lane that stands for it, if any."""

    source: Track
    lane: Lane | None


PairCost = Callable[[Track, Lane | None], Cost]


def lay_lanes(targets: Iterable[Track]) -> list[Lane]:
    """Return the lanes of target subscriptions of one offer; those never in service are in none."""
    lanes: list[Lane] = []
    for spell in sorted((spell for track in targets for spell in _spells(track)), key=_begin):
        free = [lane for lane in lanes if _end(lane.spells[-1]) <= _begin(spell)]
        own = next((lane for lane in free if spell.subscription.id in lane.ids), None)
        if own or free:
            (own or free[0]).spells.append(spell)
        else:
            lanes.append(Lane([spell]))
    return lanes


def _spells(track: Track) -> list[Track]:
    """Return the times in service of one subscription."""
    spells: list[Track] = []
    begun: int | None = None
    for place, step in enumerate(track.steps):
        if step.status == "active":
            begun = place if begun is None else begun
        elif begun is not None:
            spells.append(Track(track.subscription, track.steps[begun : place + 1], track.existed))
            begun = None
    if begun is not None:
        spells.append(Track(track.subscription, track.steps[begun:], track.existed))
    return spells


def _begin(spell: Track) -> int:
    return spell.steps[0].sequence


def _end(spell: Track) -> int:
    """Return the place at which a spell ended; beyond every place while it lasts."""
    return _NEVER if spell.steps[-1].status == "active" else spell.steps[-1].sequence


def pair_family(
    sources: Sequence[Track], lanes: Sequence[Lane], cost: PairCost
) -> tuple[list[Pair], list[Track], list[Lane]]:
    """Pair sources and lanes of one offer; return the pairs, the sources left over, and the lanes left over.

    A lane that was in service with the same seats before the world began is adopted first: whoever creates another one
    beside it has made a twin.
    """
    pairs, sources, lanes = _adopt(sources, lanes)
    if max(len(sources), len(lanes)) <= _TRY_ALL:
        more, unmatched, surplus = _best(sources, lanes, cost)
    else:
        more, unmatched, surplus = _in_order(sources, lanes)
    return pairs + more, unmatched, surplus


def _adopt(sources: Sequence[Track], lanes: Sequence[Lane]) -> tuple[list[Pair], list[Track], list[Lane]]:
    pairs: list[Pair] = []
    rest = list(lanes)
    open_sources: list[Track] = []
    for source in sources:
        seats = source.steps[0].seats
        adopted = next((lane for lane in rest if seats and lane.start_seats == seats), None)
        if adopted is None:
            open_sources.append(source)
        else:
            rest.remove(adopted)
            pairs.append(Pair(source, adopted))
    return pairs, open_sources, rest


def _best(
    sources: Sequence[Track], lanes: Sequence[Lane], cost: PairCost
) -> tuple[list[Pair], list[Track], list[Lane]]:
    if not sources or not lanes:
        return [], list(sources), list(lanes)
    if len(sources) == len(lanes) == 1:
        return [Pair(sources[0], lanes[0])], [], []
    table = [[cost(source, lane) for lane in lanes] for source in sources]
    alone = [cost(source, None) for source in sources]
    choices: list[int | None] = [*range(len(lanes)), *([None] * max(0, len(sources) - len(lanes)))]

    def total(choice: Sequence[int | None]) -> Cost:
        rows = [alone[row] if lane is None else table[row][lane] for row, lane in enumerate(choice)]
        return tuple(map(sum, zip(*rows, strict=True)))

    # permutations come in the order of creation, and min keeps the first of equals: creation order decides ties
    best = min(permutations(choices, len(sources)), key=total)
    pairs = [Pair(sources[row], lanes[lane]) for row, lane in enumerate(best) if lane is not None]
    taken = {lane for lane in best if lane is not None}
    unmatched = [sources[row] for row, lane in enumerate(best) if lane is None]
    return pairs, unmatched, [lane for place, lane in enumerate(lanes) if place not in taken]


def _in_order(sources: Sequence[Track], lanes: Sequence[Lane]) -> tuple[list[Pair], list[Track], list[Lane]]:
    """Pair equal seats first, each source in the order in which it was stopped, then what is left by order."""
    waiting = sorted(sources, key=_stop_order)
    rest = list(lanes)
    pairs: list[Pair] = []
    unmatched: list[Track] = []
    for source in waiting:
        equal = next((lane for lane in rest if _is_equal(source, lane)), None)
        if equal is None:
            unmatched.append(source)
        else:
            rest.remove(equal)
            pairs.append(Pair(source, equal))
    pairs += [Pair(source, lane) for source, lane in zip(unmatched, rest, strict=False)]
    count = min(len(unmatched), len(rest))
    return pairs, unmatched[count:], rest[count:]


def _is_equal(source: Track, lane: Lane) -> bool:
    same_terms = terms_of(source.subscription) == terms_of(lane.spells[-1].subscription)
    return same_terms and lane_seats(lane) == seats_of(source)


def terms_of(subscription: Subscription) -> tuple[str, str]:
    """Return what two subscriptions of one offer and as many seats may still differ in."""
    return (subscription.billing_cycle, subscription.partner_id_on_record or "")


def seats_of(source: Track) -> int:
    """Return the seats a source subscription had when it was last in service; a never active one has its quantity."""
    last = source.last_active
    return last.quantity if last else source.steps[-1].quantity


def lane_seats(lane: Lane) -> int:
    """Return the seats of a lane's newest subscription when it was last in service."""
    last = lane.spells[-1].last_active
    return last.quantity if last else 0


def _stop_order(source: Track) -> tuple[int, int]:
    stopped = source.stopped_by_partner
    return (stopped.sequence if stopped else _NEVER, source.steps[0].sequence)

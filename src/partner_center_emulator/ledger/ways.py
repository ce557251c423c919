"""By which way a subscription got to the target (truth room), told from the record alone.

Whoever planned another way than it went, or says that something moved that did not, can be held against this.
"""

from __future__ import annotations

from collections.abc import Iterator

from partner_center_emulator.ledger.matching import Lane, Pair
from partner_center_emulator.ledger.shape import Difference, Way
from partner_center_emulator.ledger.timeline import START, Step, Track, family_of
from partner_center_emulator.world import World


def way_of(pair: Pair) -> tuple[Way, Step] | None:
    """Return how a source subscription moved, and the step that ended it; None while it has not.

    It has moved when it is no longer active at the source and a target stands for it: stopped by a partner's call
    (ordered again, or adopted), carried over by a transfer, bought again after its term, or ended in the portal.
    """
    if pair.lane is None or not any(step.status == "active" for step in pair.lane.steps):
        return None
    ended = _ended(pair.source)
    if ended is None:
        return None
    if ended.cause == "transfer":
        return "transferred", ended
    if ended.by_partner:
        return ("recreated" if pair.lane.is_new else "adopted"), ended
    if not pair.lane.is_new:
        return None  # something else at the target that was there before: nobody moved it
    return ("rebought" if any(step.has_run_out for step in pair.source.steps) else "by_hand"), ended


def term_differences(world: World, pair: Pair, way: Way) -> Iterator[Difference]:
    """Yield in what terms of new commerce differ: a transfer keeps length and end (R-149), a purchase the length.

    What was in the Extended Service Term has no term of its own any more, and an approved mapping names the new term.
    """
    mine = world.commerce.terms.get(pair.source.subscription.id)
    if pair.lane is None or mine is None or mine.is_extended:
        return
    if pair.lane.offer_id != family_of(pair.source.subscription.offer_id):
        return
    first = _first(pair.lane)
    if first.term and first.term != mine.term_duration:
        yield Difference(what="term_duration", source=mine.term_duration, target=first.term)
    end = pair.source.subscription.commitment_end.isoformat()
    if way == "transferred" and first.ends_on and first.ends_on != end:
        yield Difference(what="term_end", source=end, target=first.ends_on)


def _ended(source: Track) -> Step | None:
    """The step that ended it, if it has been over since then; one that had run out at the world's start ended there."""
    ended: Step | None = source.steps[0] if source.steps[0].status == "expired" else None
    previous = source.steps[0].status
    for step in source.steps[1:]:
        if step.status == "active":
            ended = None
        elif previous == "active":
            ended = step
        previous = step.status
    return ended


def _first(lane: Lane) -> Step:
    """The step that brought the counterpart into being, as far as the record goes."""
    return next((step for step in lane.steps if step.sequence != START), lane.steps[0])

"""Gap, overlap and parity of one source subscription and the lane that stands for it (truth room)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec

from partner_center_emulator.ledger.matching import Cost, Lane, lane_seats, seats_of, terms_of
from partner_center_emulator.ledger.shape import Difference, Gap, Overlap
from partner_center_emulator.ledger.timeline import START, Step, Track, family_of


class Moment(msgspec.Struct):
    """The state of a pair from one place in the record to the next."""

    sequence: int
    at: datetime
    source_seats: int  # in service
    owed: int  # seats that the partner stopped and that somebody must serve
    lane_seats: int
    moved_by: str  # "start", "source" or "target": whose step began this moment


def find_gaps(source: Track, moments: Sequence[Moment], now: datetime) -> list[Gap]:
    """Return the times without full service after a partner stopped the source; one entry per number of missing seats.

    ``moments`` are those of the source and its lane.

    A gap of zero seconds is one too: on a frozen clock the record still knows that the source was stopped first.
    """
    gaps: list[Gap] = []
    for place, moment in enumerate(moments):
        missing = _missing(moment)
        if not missing:
            continue
        end = moments[place + 1].at if place + 1 < len(moments) else None
        if gaps and place and gaps[-1].to == moment.at and _missing(moments[place - 1]) == missing:
            gaps[-1] = _gap(source, gaps[-1].from_, end, missing, moment.owed, now)
        else:
            gaps.append(_gap(source, moment.at, end, missing, moment.owed, now))
    return gaps


def _missing(moment: Moment) -> int:
    return max(0, moment.owed - moment.lane_seats)


def _gap(source: Track, start: datetime, end: datetime | None, missing: int, owed: int, now: datetime) -> Gap:
    seconds = ((end or now) - start).total_seconds()
    return Gap(
        customer_id=source.subscription.customer_id,
        subscription_id=source.subscription.id,
        offer_id=source.subscription.offer_id,
        seats=missing,
        of_seats=owed,
        from_=start,
        to=end,
        seconds=seconds,
        seat_seconds=seconds * missing,
    )


def find_overlaps(source: Track, lane: Lane, moments: Sequence[Moment], now: datetime) -> list[Overlap]:
    """Return the days on which both sides were active beyond the shared cutover date: at most two entries.

    The day on which a target came into service is free, because that is the cutover date if the source stops on it. A
    day on which the source came back beside a serving target is not. What was so before the world began is an entry of
    its own.
    """
    days: dict[date, int] = {}
    old_days: dict[date, int] = {}
    free: set[date] = set()
    last = START
    for start, end, begun_by, seats, sequence in _shared_times(moments, now):
        last = sequence
        if begun_by == "start":
            # the day the source stops is the cutover date here
            _add_days(old_days, start.date(), end.date() - timedelta(days=1), seats)
            continue
        if begun_by == "target":
            free.add(start.date())
        _add_days(days, start.date(), end.date(), seats)
    counterpart = lane.serving(last).subscription.id
    found = []
    for chosen, is_old in (({d: s for d, s in days.items() if d not in free}, False), (old_days, True)):
        if chosen:
            found.append(_overlap(source, counterpart, chosen, is_preexisting=is_old))
    return found


def _overlap(source: Track, counterpart_id: str, days: dict[date, int], *, is_preexisting: bool) -> Overlap:
    return Overlap(
        customer_id=source.subscription.customer_id,
        subscription_id=source.subscription.id,
        counterpart_id=counterpart_id,
        utc_days=sorted(days),
        seats=max(days.values()),
        seat_days=sum(days.values()),
        is_preexisting=is_preexisting,
    )


def _add_days(days: dict[date, int], first: date, last: date, seats: int) -> None:
    day = first
    while day <= last:
        days[day] = max(days.get(day, 0), seats)
        day += timedelta(days=1)


def _shared_times(moments: Sequence[Moment], now: datetime) -> Iterator[tuple[datetime, datetime, str, int, int]]:
    """Yield start, end, who began it, most seats served twice, and place of every time in which both were active."""
    open_since: Moment | None = None
    seats = 0
    for moment in moments:
        both = min(moment.source_seats, moment.lane_seats)
        if both and open_since is None:
            open_since, seats = moment, both
        elif both:
            seats = max(seats, both)
        elif open_since is not None:
            yield open_since.at, moment.at, open_since.moved_by, seats, open_since.sequence
            open_since = None
    if open_since is not None:
        yield open_since.at, now, open_since.moved_by, seats, open_since.sequence


def observe(source: Track, lane: Lane | None) -> list[Moment]:
    """Return the pair's state after every step of either side, in the order of the record."""
    moments: list[Moment] = []
    spells = lane.spells if lane else []
    steps = [(step.sequence, -1, step) for step in source.steps]  # -1: the source, else the place in the lane
    steps += [(step.sequence, number, step) for number, spell in enumerate(spells) for step in spell.steps]
    steps.sort(key=lambda row: row[:2])
    seats_by_place: dict[int, int] = {}
    source_seats = owed = had = 0
    was_in_use = False
    is_ours_to_follow = source.is_let_run_out or (lane is not None and lane.is_new)
    for row, (sequence, place, step) in enumerate(steps):
        if place < 0:
            owed = _owed(step, owed, was_in_use=was_in_use, had=had, is_ours_to_follow=is_ours_to_follow)
            was_in_use = step.is_in_use
            had = step.quantity if was_in_use else had
            source_seats = step.seats
        else:
            seats_by_place[place] = step.seats
            # a counterpart that its own term ended, like the source would have, is nobody's gap any more
            owed = 0 if step.has_run_out else owed
        if sequence == START and row + 1 < len(steps) and steps[row + 1][0] == START:
            continue  # the world's first state is one moment
        begun_by = "start" if sequence == START else ("source" if place < 0 else "target")
        moments.append(Moment(sequence, step.at, source_seats, owed, sum(seats_by_place.values()), begun_by))
    return moments


def _owed(step: Step, owed: int, *, was_in_use: bool, had: int, is_ours_to_follow: bool) -> int:
    """How many seats somebody else must serve: those the partner stopped, and those it let run out (R-132)."""
    if step.is_in_use:
        return 0
    if was_in_use:
        return had if step.by_partner or (step.has_run_out and is_ours_to_follow) else 0
    return owed


def pair_cost(source: Track, lane: Lane | None, now: datetime, *, strange_family: int) -> Cost:
    """Return how badly a lane stands for a source: missing service, seats, parent or add-ons, terms, overlap."""
    moments = observe(source, lane)
    gaps = find_gaps(source, moments, now)
    missing = sum(gap.seat_seconds for gap in gaps)
    if lane is None:
        return (missing, float(len(gaps)), 0.0, 0.0, 0.0, 0.0)
    overlap = sum(found.seat_days for found in find_overlaps(source, lane, moments, now))
    seats = abs(lane_seats(lane) - seats_of(source))
    other_terms = terms_of(source.subscription) != terms_of(lane.spells[-1].subscription)
    return (missing, float(len(gaps)), float(seats), float(strange_family), float(other_terms), float(overlap))


def find_differences(
    source: Track, lane: Lane, stopped: Step, *, mapped: bool, parents: frozenset[str] | None
) -> list[Difference]:
    """Return in what a moved subscription and its counterpart differ, as the partner's own calls left them.

    ``mapped``: another offer was accepted in place of one that is gone; where that is new commerce, the mapping names
    the billing cycle. ``parents``: for an add-on, the counterparts of its base; None for a base. Later changes in the
    portal are the customer's business and no difference.
    """
    mine = source.subscription
    left = _as_left(lane, stopped.sequence)
    counterpart = lane.serving(left.sequence).subscription
    names_cycle = not (mapped and ":" in counterpart.offer_id)
    rows = [
        ("status", "active", left.status),
        ("quantity", str(seats_of(source)), str(left.quantity)),
        ("offer", family_of(mine.offer_id), family_of(mine.offer_id if mapped else counterpart.offer_id)),
        ("billing_cycle", mine.billing_cycle if names_cycle else counterpart.billing_cycle, counterpart.billing_cycle),
        ("partner_id_on_record", mine.partner_id_on_record or "", counterpart.partner_id_on_record or ""),
    ]
    if parents is not None and (counterpart.parent_subscription_id or "") not in parents:
        rows.append(("parent", mine.parent_subscription_id or "", counterpart.parent_subscription_id or ""))
    found = [{"what": what, "source": a, "target": b} for what, a, b in rows if a != b]
    return msgspec.convert(found, list[Difference]) if found else []


def _as_left(lane: Lane, sequence: int) -> Step:
    """Return the lane's state when the source was stopped, carried on through later calls of the partner."""
    steps = lane.steps
    left = steps[0]
    for step in steps:
        if step.sequence <= sequence or step.by_partner:
            left = step
    return left

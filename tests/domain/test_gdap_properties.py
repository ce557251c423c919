"""Nobody ever gets a second relationship, whatever is lost; names fit and differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.gdap import AdminRelationship, GdapCase, GdapIntent, GdapOp, GdapOutcome, RelationshipId, Seen
from tenantfold.domain.gdap_course import Adopt, Begin, GdapDesk, GdapOrder, Rest, SendAgain, next_step
from tenantfold.domain.journal import OutcomeKind
from tests.domain.gdaps import ASKS, BOTH, CHECKS, DESK, EMPTY, NOW, RENEWS, State, relationship


@dataclass
class Play:
    """A Microsoft that does not even know that names are unique, and a program whose answers get lost."""

    now: datetime = NOW
    lag_minutes: int = 0
    known: GdapCase = EMPTY
    there: list[AdminRelationship] = field(default_factory=list)
    most: int = 0

    def go(self, order: GdapOrder, luck: Sequence[str]) -> None:
        """One command: decide, write, decide; ``luck`` says how each call ends."""
        for how in luck:
            step = next_step(self.known, Seen(relationships=self._listed(), access=BOTH), self._desk(), order)
            if isinstance(step, Rest):
                return
            match step:
                case Adopt(intent=made, relationship_id=found):
                    self._end(made, OutcomeKind.ADOPTED, found)
                case SendAgain(lost=lost, intent=made):
                    self._end(lost, OutcomeKind.FAILED, None)
                    self._call(made, how)
                case Begin(intent=made, is_there=is_there):
                    self._call(made, "crash" if is_there else how)
            if how == "crash":
                return

    def _listed(self) -> tuple[AdminRelationship, ...]:
        """A list shows nothing that is younger than its lag, which is shorter than the settling time."""
        youngest = self.now - timedelta(minutes=self.lag_minutes)
        return tuple(one for one in self.there if one.changed_at is not None and one.changed_at <= youngest)

    def _desk(self) -> GdapDesk:
        return replace(DESK, now=self.now)

    def _call(self, made: GdapIntent, how: str) -> None:
        self.known = replace(self.known, entries=(*self.known.entries, (made, None)))
        if how == "crash":
            return
        found = self._effect(made) if how in {"answered", "lost after"} else None
        if how in {"answered", "refused"}:
            self._end(made, OutcomeKind.DONE if how == "answered" else OutcomeKind.FAILED, found)

    def _effect(self, made: GdapIntent) -> RelationshipId | None:
        if made.kind is GdapOp.LOCK:
            self.there = [
                replace(one, state=State.APPROVAL_PENDING) if one.id == made.relationship_id else one
                for one in self.there
            ]
            return None
        assert made.wish is not None
        new = RelationshipId(f"r-{len(self.there)}")
        self.there.append(relationship(id=new, name=made.wish.name, changed_at=self.now))
        self.most = max(self.most, sum(not one.state.is_over for one in self.there))
        return new

    def _end(self, made: GdapIntent, kind: OutcomeKind, found: RelationshipId | None) -> None:
        outcome = GdapOutcome(intent_key=made.key, kind=kind, at=self.now, relationship_id=found)
        self.known = replace(
            self.known,
            entries=tuple((one, outcome if one.key == made.key else ended) for one, ended in self.known.entries),
        )


ENDS = st.lists(st.sampled_from(["answered", "lost after", "lost before", "refused", "crash"]), min_size=6, max_size=6)
ACTS = st.tuples(st.sampled_from([ASKS, CHECKS, RENEWS]), ENDS, st.sampled_from([0, 10, 20, 24 * 60]), st.booleans())


@given(st.lists(ACTS, max_size=12), st.integers(0, 14))
def test_nobody_ever_has_two_relationships_whatever_answers_are_lost(
    acts: list[tuple[GdapOrder, list[str], int, bool]], lag_minutes: int
):
    """Any order of commands, losses, crashes and waits; the customer lets requests lapse now and then."""
    play = Play(lag_minutes=lag_minutes)
    for order, luck, minutes, lapses in acts:
        play.go(order, luck)
        play.now += timedelta(minutes=minutes)
        if lapses:
            play.there = [
                replace(one, state=State.EXPIRED) if one.state is State.APPROVAL_PENDING else one for one in play.there
            ]
    assert play.most <= 1
    keys = [made.key for made, _ in play.known.entries]
    assert len(set(keys)) == len(keys)
    for _ in range(3):
        play.now += timedelta(days=1)
        play.go(RENEWS, ["answered"] * 6)
    assert [one.state for one in play.there if not one.state.is_over] == [State.APPROVAL_PENDING]

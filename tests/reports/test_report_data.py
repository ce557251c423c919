"""What a report counts as done, and that it has a place and a word for every phase."""

from datetime import UTC, datetime

import pytest

from tenantfold.domain.states import Origin, Phase
from tenantfold.reports.html_report import GROUPS, PHASE_LABELS
from tenantfold.reports.report_data import Pair

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def pair(origin: str, verified_at: datetime | None = None, suspended_at: datetime | None = None) -> Pair:
    """One subscription with a counterpart of this origin."""
    return Pair(
        offer_name="E3",
        license_count=5,
        route="any",
        tenant="se",
        source_id="s1",
        origin=origin,
        verified_at=verified_at,
        suspended_at=suspended_at,
    )


@pytest.mark.parametrize("origin", list(Origin))
def test_what_is_done_depends_on_the_way_it_came(origin: Origin):
    """Ordered again: done when the source is suspended. Any other way: done when it was verified."""
    verified = pair(origin.value, verified_at=AT)
    assert verified.is_done is not origin.is_cutover
    assert pair(origin.value, verified_at=AT, suspended_at=AT).is_done
    assert not pair(origin.value).is_done


def test_what_has_no_counterpart_is_not_done():
    """Not ordered yet, not moved yet."""
    assert not pair("").is_done


def test_every_phase_has_one_group_and_a_word():
    """A customer in a phase the page does not know could not be shown."""
    grouped = [phase for group in GROUPS for phase in group.phases]
    assert sorted(grouped) == sorted(Phase)
    assert set(PHASE_LABELS) == set(Phase)

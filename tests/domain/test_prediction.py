"""A prediction asked about one time: what it says lies at the last look before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tenantfold.domain.prediction import TROUBLED, Conditions, Moment, Prediction, Truth
from tenantfold.domain.states import Phase

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PREDICTION = Prediction(
    plan_id=1,
    plan_checksum="c",
    conditions=Conditions(acceptance="at-once", latency_seconds=0.4, seed=1),
    begins_at=START,
    over_at=START + timedelta(hours=2),
    ends_at=None,
    begun_at=START,
    to_move=9,
    phases={"moved": 6, "failed": 2, "stranded": 1},
    moved_at=(),
    timeline=(
        Moment(at=START, phases={"accepted": 8, "failed": 1}, calls=10),
        Moment(at=START + timedelta(hours=1), phases={"moved": 6, "failed": 2, "stranded": 1}, calls=70),
    ),
    days=(),
    calls=(),
    buckets=(),
    truth=Truth(),
    late_cases=0,
)


@pytest.mark.parametrize(
    ("minutes", "calls", "troubled"), [(-1, 0, 0), (0, 10, 1), (59, 10, 1), (60, 70, 3), (999, 70, 3)]
)
def test_says_what_was_predicted_for_a_time(minutes: int, calls: int, troubled: int):
    """Before the beginning: nothing."""
    when = START + timedelta(minutes=minutes)
    assert (PREDICTION.calls_by(when), PREDICTION.troubled_by(when)) == (calls, troubled)


def test_the_phases_that_count_as_trouble_are_phases():
    """A stored prediction names them as texts; a renamed phase must not turn trouble into none."""
    assert {Phase(one) for one in TROUBLED} == {Phase.STALE, Phase.DRIFTED, Phase.STRANDED, Phase.FAILED}

"""What a seed draws of webhooks (simulation room): what becomes of deliveries, which lies are told, who dies of them.

Drawn from a generator of its own, so that a seed that hears of events draws everything else as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tenantfold.domain.webhooks import EVENTS
from tenantfold.simulation import deaths
from tenantfold.simulation.deaths import Death

SHARE = 0.35  # of all mixed seeds
MOST_BOUNDARIES, MOST_TURNS = 4, 30  # in which a receiver dies
_HOUR = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A delivery of something that did not happen, ``moment`` seconds after the start.

    ``number``: the customer it names. ``is_forged``: somebody else signed it; else it is Microsoft's own error.
    """

    moment: float
    number: int
    event: str
    is_forged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookScript:
    """All of it: which shares of the deliveries come to grief.

    ``lost`` by a proxy that said it had them, ``unanswered`` (they come again), ``late``: kept by the proxy for
    ``late_seconds``, ``doubled`` by Microsoft, ``deadly`` for the receiver. ``updated_seconds`` is how late Microsoft
    tells of changed subscriptions at most; ``wait_seconds`` how long a run waits for acceptances.
    """

    lost: float = 0.0
    unanswered: float = 0.0
    late: float = 0.0
    late_seconds: float = 0.0
    doubled: float = 0.0
    deadly: float = 0.0
    updated_seconds: float = 0.0
    quiet_seconds: float = 60.0
    wait_seconds: float = 0.0
    lies: tuple[Lie, ...] = ()


def draw(seed: int, numbers: tuple[int, ...]) -> WebhookScript | None:
    """How a seed with these customers hears of events; None for most."""
    rng = Random(f"webhooks/{seed}")
    if rng.random() >= SHARE:
        return None
    return WebhookScript(
        lost=rng.choice((0.0, 0.1, 0.6)),
        unanswered=rng.choice((0.0, 0.2)),
        late=rng.choice((0.0, 0.3)),
        late_seconds=rng.choice((30.0, 4_000.0, 50 * _HOUR)),
        doubled=rng.choice((0.0, 0.5, 1.0)),
        deadly=rng.choice((0.0, 0.1, 0.3)),
        updated_seconds=rng.choice((0.0, 600.0, 48 * _HOUR)),
        quiet_seconds=rng.choice((5.0, 60.0, 600.0)),
        wait_seconds=rng.choice((0.0, 900.0, 3_600.0)),
        lies=tuple(_lie(rng, numbers) for _ in range(rng.choice((0, 4, 20)))),
    )


def sentence(lie: Lie) -> str:
    """A lie as it is told beforehand."""
    who = "Somebody forges" if lie.is_forged else "Microsoft delivers for no reason"
    return f"{who} '{lie.event}' of Customer {lie.number + 1}, {lie.moment:.0f} s after the start."


def death(rng: Random, script: WebhookScript) -> Death | None:
    """Whether the receiver dies of the next delivery, and when."""
    return deaths.draw(rng, MOST_BOUNDARIES, MOST_TURNS) if rng.random() < script.deadly else None


def _lie(rng: Random, numbers: tuple[int, ...]) -> Lie:
    return Lie(
        moment=rng.choice((rng.uniform(250, 1_500), rng.uniform(250, 1_500), rng.uniform(0.1, 100) * _HOUR)),
        number=rng.choice(numbers),
        event=rng.choice((*EVENTS, "nobody-knows-this")),
        is_forged=rng.random() < 0.25,  # noqa: PLR2004 - a share
    )

"""The choices a partner makes once for the whole consolidation, as a value the core can read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Durations are seconds; ``stop_starting_at`` is a UTC time of day (R-192)."""

    stop_starting_at: time = time(21, 0)
    settling_seconds: float = 900.0
    provisioning_wait_seconds: float = 900.0
    observation_max_age_seconds: float = 120.0
    retry_seconds: float = 15.0

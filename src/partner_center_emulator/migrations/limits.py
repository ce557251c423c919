"""The rate limits of migrations (wire room): 100 creations per partner, 450 checks per partner and customer (core 4).

Both count over five minutes of the emulator's clock; a rejected call counts too.
"""

from __future__ import annotations

import math
from collections import deque

from partner_center_emulator.errors import gateway
from partner_center_emulator.requests import Call
from partner_center_emulator.world import World

WINDOW_SECONDS = 300.0
CREATES, VALIDATIONS = 100, 450


class MigrationCalls:
    """When each partner (and customer) called; obtained with ``emulator.derived(MigrationCalls)``."""

    def __init__(self, _world: World) -> None:
        self._calls: dict[str, deque[float]] = {}

    def admit(self, key: str, limit: int, now: float) -> None:
        """Count one call; raises 429 (form C, ``Retry-After``) when the window is full."""
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - WINDOW_SECONDS:
            calls.popleft()
        calls.append(now)
        if len(calls) > limit:
            seconds = max(1, math.ceil(calls[-limit] + WINDOW_SECONDS - now))
            text = f"Rate limit is exceeded. Try again in {seconds} seconds."
            raise gateway(429, text, {"Retry-After": str(seconds)})


def admit_create(call: Call) -> None:
    """Let one creation through; raises 429 after 100 in five minutes per partner tenant."""
    _admit(call, f"create/{call.tenant.id}", CREATES)


def admit_validation(call: Call, customer_id: str) -> None:
    """Let one validation through; raises 429 after 450 in five minutes per partner tenant and customer."""
    _admit(call, f"validate/{call.tenant.id}/{customer_id}", VALIDATIONS)


def _admit(call: Call, key: str, limit: int) -> None:
    if call.emulator.options.throttling:
        call.emulator.derived(MigrationCalls).admit(key, limit, call.clock.now().timestamp())

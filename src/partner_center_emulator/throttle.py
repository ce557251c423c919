"""The rate limit (wire room): a sliding window per partner tenant and resource, and who does not keep to it.

Published: 500 requests a minute each for Customer, Order and Subscription, answered with 429, form C and
``Retry-After``; rejected calls count too (core reference 4). Keyed by partner tenant, the worst case of what the page
leaves open.
"""

from __future__ import annotations

import math
from collections import deque

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, gateway
from partner_center_emulator.world import World

behaviour(
    "throttle",
    source="documented",
    page="core 4",
    note="500 calls a minute per tenant for customer, order and "
    "subscription calls; 429 with Retry-After in form C; rejected calls count; GET /v1/customers is not limited",
)
behaviour(
    "throttle",
    source="assumed",
    page="core 11",
    note="The window slides and is keyed by the "
    "partner tenant; profiles count as customer calls; agreements, requests and audit are not limited",
)


class _Bucket:
    """The calls of one tenant to one resource within the window, as seconds of the emulator's clock."""

    __slots__ = ("calls", "rejected_at", "retry_at", "since_rejection")

    def __init__(self) -> None:
        self.calls: deque[float] = deque()
        self.retry_at = 0.0
        self.rejected_at = 0.0
        self.since_rejection = 0


class Throttle:
    """The buckets of the present world; obtained with ``emulator.derived(Throttle)``."""

    def __init__(self, _world: World) -> None:
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def admit(self, emulator: Emulator, tenant_id: str, resource: str) -> None:
        """Count one call; raises 429 (form C, ``Retry-After``) when the window is full.

        In strict mode a call that ignores ``Retry-After`` gets 400 instead of another 429.
        """
        options = emulator.options
        bucket = self._buckets.get((tenant_id, resource))
        if bucket is None:
            bucket = self._buckets[tenant_id, resource] = _Bucket()
        now = emulator.clock.now().timestamp()
        calls = bucket.calls
        horizon = now - options.throttle_window_seconds
        while calls and calls[0] <= horizon:
            calls.popleft()
        calls.append(now)
        if now < bucket.retry_at:
            _judge(emulator, bucket, now, f"{tenant_id} {resource}")
        if len(calls) <= options.throttle_limit:
            return
        opens_at = calls[-options.throttle_limit] + options.throttle_window_seconds
        seconds = max(1, math.ceil(opens_at - now))
        if now >= bucket.retry_at:
            bucket.rejected_at, bucket.since_rejection = now, 0
        bucket.retry_at = now + seconds
        raise gateway(429, f"Rate limit is exceeded. Try again in {seconds} seconds.", {"Retry-After": str(seconds)})


def _judge(emulator: Emulator, bucket: _Bucket, now: float, whose: str) -> None:
    """Record a call before ``Retry-After`` has passed, unless it may have been on its way when the 429 left."""
    options = emulator.options
    bucket.since_rejection += 1
    grace = options.retry_after_grace_seconds * max(1.0, emulator.clock.speed)
    on_its_way = now - bucket.rejected_at < grace and bucket.since_rejection <= options.retry_after_in_flight
    if on_its_way:
        return
    tenant_id = whose.split(" ", 1)[0]
    wait = math.ceil(bucket.retry_at - now)
    emulator.violate(tenant_id, "ignored_retry_after", f"{whose}: called {wait} s too early")
    if options.fails_rule_breakers:
        raise ApiError(400, 0, f"Strict mode: the call came {wait} seconds before Retry-After had passed.", "C")

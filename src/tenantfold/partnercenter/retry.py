"""What is tried again, how often and after how long (partnercenter room).

Reads are repeated after 429, 5xx and lost connections. A write is repeated only after 429, because a throttled call had
no effect (core reference 4); everything else about a write is for the flow to reconcile. The loop is stamina's; the
waiting is the clock's, so that virtual time works.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina

from tenantfold.errors import PartnerCenterError, ThrottledError, UnavailableError
from tenantfold.partnercenter.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How patient we are. Attempts count the first one; waits are seconds and double each time up to the longest."""

    attempts: int = 5
    throttled_attempts: int = 8
    throttled_write_attempts: int = 3  # fewer: the guards of a write were asked before it, and answers grow old
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    default_retry_after_seconds: float = 10.0  # for a 429 without the header
    write_leaves_within_seconds: float = 300.0  # must stay below the settling time: see Transport


class Patience:
    """Decides for one operation whether an error is worth another try, and how long to wait before it."""

    def __init__(self, policy: RetryPolicy, *, is_write: bool = False, is_sign_in: bool = False) -> None:
        self._policy = policy
        self._is_sign_in = is_sign_in
        self._is_write = is_write
        self._throttled_attempts = policy.throttled_write_attempts if is_write else policy.throttled_attempts
        self._unavailable = 0
        self._throttled = 0
        self.wait_seconds = 0.0

    def allows(self, error: Exception) -> bool | float:
        """For stamina: False to give up; 0.0 to go on, because ``wait_seconds`` is waited by our clock."""
        # sign-in has its own patience; repeating it around a call would multiply the two
        if isinstance(error, PartnerCenterError) and bool(error.facts.get("sign_in")) is not self._is_sign_in:
            return False
        if isinstance(error, ThrottledError):
            self._throttled += 1
            after = self._asked(error) or self._policy.default_retry_after_seconds
            # the first wait is what was asked for; refused again, we back off further, never below it
            self.wait_seconds = max(after, self._backoff(self._throttled - 1) if self._throttled > 1 else 0.0)
            return 0.0 if self._throttled < self._throttled_attempts else False
        if isinstance(error, UnavailableError) and not self._is_write:
            self._unavailable += 1
            self.wait_seconds = max(self._asked(error), self._backoff(self._unavailable))
            return 0.0 if self._unavailable < self._policy.attempts else False
        return False

    def _asked(self, error: PartnerCenterError) -> float:
        asked = error.facts.get("retry_after_seconds")
        return asked if isinstance(asked, float) else 0.0

    def _backoff(self, failures: int) -> float:
        wait = min(self._policy.longest_wait_seconds, self._policy.first_wait_seconds * 2.0 ** (failures - 1))
        return wait * (1 + 0.25 * random.random())  # a little apart, so that many callers don't return at once


async def persist(attempt: Callable[[], Awaitable[T]], patience: Patience, policy: RetryPolicy, clock: Clock) -> T:
    """Run ``attempt`` until it succeeds or patience ends; raises its last error."""
    try:
        return await attempt()
    except PartnerCenterError as error:  # nearly every call ends above; the loop costs as much as sending does
        if patience.allows(error) is False:
            raise
    most = policy.attempts + policy.throttled_attempts
    async for trial in stamina.retry_context(on=patience.allows, attempts=most, timeout=None):
        with trial:
            if patience.wait_seconds:
                await clock.sleep(patience.wait_seconds)
            return await attempt()
    raise PartnerCenterError("A call was never tried.")  # stamina always tries once; this keeps the types honest

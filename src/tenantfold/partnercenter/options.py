"""What a caller may choose about a client, with its defaults (partnercenter room)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

from tenantfold.partnercenter.ports import DateObserver
from tenantfold.partnercenter.retry import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One exchange as it went: for counts, metrics and logs. ``status`` is 0 when no answer came."""

    tenant_key: str
    route: str
    status: int
    seconds: float
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Patience, language and hooks of a client.

    ``observe_date`` is told the ``Date`` of every answer (``ServerClock.observe``), ``on_call`` every exchange with
    Partner Center and Graph. ``locale`` is the language of names and messages in answers (``X-Locale``).
    """

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    locale: str = "en-US"
    observe_date: DateObserver | None = None
    on_call: Callable[[CallRecord], None] | None = None

    def note_date(self, response: httpx2.Response) -> None:
        """Tell the observer when an answer was written and how long it took."""
        if self.observe_date is None:
            return
        date = response.headers.get("Date")
        if not date:
            return
        try:
            seconds = response.elapsed.total_seconds()
        except RuntimeError:  # an answer that never was a stream (a transport in this process) took no time
            seconds = 0.0
        self.observe_date(date, seconds)

"""What a caller may choose about a client, with its defaults (partnercenter room)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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

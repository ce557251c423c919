"""Running the checks and saying how they ended (report room)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import httpx2
import msgspec

from partner_center_emulator.conformance import checks_reading as r
from partner_center_emulator.conformance import checks_writing as w
from partner_center_emulator.conformance.site import NotMetError, NotTriedError, Site

Verdict = Literal["met", "not met", "not tried"]


class Check(msgspec.Struct, frozen=True):
    """One claim: its family, its page in the reference, the check, and whether it changes anything."""

    family: str
    page: str
    run: Callable[[Site], Awaitable[None]]
    writes: bool = False

    @property
    def name(self) -> str:
        """Return the check's name."""
        return self.run.__name__

    @property
    def claim(self) -> str:
        """Return the claim as a sentence."""
        return (self.run.__doc__ or self.name).strip()


class Outcome(msgspec.Struct, frozen=True):
    """How one check ended; ``why`` is empty when the claim was met."""

    name: str
    family: str
    page: str
    claim: str
    verdict: Verdict
    why: str = ""


CHECKS: tuple[Check, ...] = (
    Check("paging", "core 3", r.seek_paging),
    Check("paging", "core 3", r.offset_paging),
    Check("filters", "core 5", r.filter_by_name),
    Check("headers", "core 2.2", r.headers_echoed),
    Check("envelope", "core 2.3", r.envelope),
    Check("paths", "core 2.3", r.liberal_paths),
    Check("dates", "commerce 0.1", r.dates),
    Check("byte order mark", "core 2.2", r.bytes_readable),
    Check("errors", "core 2.5", r.unknown_customer),
    Check("errors", "core 2.5", r.unknown_subscription),
    Check("errors", "core 2.5", r.unknown_offer),
    Check("errors", "core 2.5", r.without_token),
    Check("errors", "core 2.4", r.unknown_path),
    Check("app+user", "core 1.4", r.app_only_refused),
    Check("etags", "commerce 0.1", r.etags),
    Check("throttling", "core 4", r.throttling),
    Check("agreements", "core 7", r.agreements),
    Check("orders", "commerce 2.4", r.order_lines),
    Check("transfers", "commerce 4.1", r.transfers),
    Check("delegated admin", "core 8", r.gdap_states),
    Check("sign-in", "core 1.3", r.sign_in_errors),
    Check("webhooks", "core 9.4", r.webhook_events),
    Check("audit", "core 9.3", r.audit_records),
    Check("invoices", "commerce 6", r.invoices),
    Check("orders", "core 2.5", w.unknown_offer_refused, writes=True),
    Check("orders", "core 2.5", w.quantity_limits, writes=True),
    Check("agreements", "core 7", w.agreement_gate, writes=True),
    Check("carts", "commerce 2.1", w.cart_rules, writes=True),
    Check("idempotency", "core 2.1", w.replayed_write, writes=True),
    Check("etags", "commerce 3.4", w.stale_etag, writes=True),
    Check("suspension", "commerce 3.3", w.suspend_rules, writes=True),
)


async def run(site: Site, *, write: bool = False) -> list[Outcome]:
    """Run all read-only checks, and with ``write`` the others too, one after the other."""
    return [await judge(check, site) for check in CHECKS if write or not check.writes]


async def judge(check: Check, site: Site) -> Outcome:
    """Run one check; an answer of an unexpected shape, or none, is a claim not met."""
    verdict: Verdict = "met"
    why = ""
    try:
        await check.run(site)
    except NotTriedError as reason:
        verdict, why = "not tried", str(reason)
    except NotMetError as reason:
        verdict, why = "not met", str(reason)
    except (httpx2.HTTPError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        verdict, why = "not met", f"The answer cannot be used: {type(error).__name__} {error}"
    return Outcome(check.name, check.family, check.page, check.claim, verdict, why)


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as a Markdown table with a line of totals."""
    lines = ["| Family | Check | Page | Verdict | Why |", "|---|---|---|---|---|"]
    lines += [f"| {row.family} | {row.claim} | {row.page} | {row.verdict} | {row.why} |" for row in outcomes]
    counts = {verdict: sum(row.verdict == verdict for row in outcomes) for verdict in ("met", "not met", "not tried")}
    lines += ["", ", ".join(f"{number} {verdict}" for verdict, number in counts.items()) + "."]
    return "\n".join(lines) + "\n"

"""Faults that the web page offers ready-made (page room)."""

from __future__ import annotations

import msgspec

from partner_center_emulator.state.behaviour import Fault

PRESETS: dict[str, tuple[str, Fault]] = {
    "slow": (
        "Slow answers (2 s, sometimes far more)",
        Fault(kind="latency", seconds=2, distribution="lognormal", spread=1),
    ),
    "storm": ("One storm of 429 (60 s)", Fault(kind="throttle_storm", seconds=60, count=1)),
    "flaky": ("A tenth of reads fail with 503", Fault(kind="server_error", methods=["GET"], probability=0.1)),
    "lost-orders": (
        "The next order takes effect, its answer is lost",
        Fault(kind="lost_answer", route="POST /v1/customers/{customer}/orders", count=1),
    ),
    "reset-writes": (
        "The next write is cut off before it has an effect",
        Fault(kind="reset", methods=["POST", "PUT", "PATCH", "DELETE"], count=1),
    ),
    "stale": ("Lists lag 10 minutes behind writes", Fault(kind="stale_list", seconds=600)),
    "failed-line": ("The first line of the next order fails", Fault(kind="failed_line", count=1)),
    "token": ("The token of the next call has expired", Fault(kind="token_expires", count=1)),
    "unknown": ("Every status is one nobody has seen", Fault(kind="unknown_value")),
    "truncated": ("A tenth of reads end in the middle", Fault(kind="truncated_json", methods=["GET"], probability=0.1)),
}


def make(name: str) -> Fault:
    """Return a new fault like the preset ``name``; raises KeyError."""
    return msgspec.structs.replace(PRESETS[name][1])

"""The list of emulated Partner Center resources (wire room): one folder each, found here by name.

A folder's ``routes.py`` lists ``ROUTES``. Its ``models.py`` may define ``rearm(emulator)``, which puts the resource's
timers (a pending acceptance, the 90 days of a suspension) back on the clock after a world was loaded; timers are always
computed from the world, never stored beside it. Folders are imported late, so that models may import the emulator.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partner_center_emulator.emulator import Emulator
    from partner_center_emulator.requests import Page, Route
    from partner_center_emulator.world import StateChange

RESOURCES: tuple[str, ...] = (
    "signin",
    "graph",
    "customers",
    "relationships",
    "agreements",
    "profiles",
    "audit",
    "offers",
    "products",
    "promotions",
    "carts",
    "orders",
    "subscriptions",
    "transfers",
    "migrations",
    "azure",
    "servicerequests",
    "entitlements",
    "webhooks",
    "users",
    "validations",
    "qualifications",
    "invoices",
)

# parts that are no resource and have timers too
_PARTS = ("graph.gdap", "pace", "strict", "actors.support")


def routes() -> tuple[Route | Page, ...]:
    """Return every route of every resource, in the order of the list above."""
    for name in _PARTS:  # they list their behaviours when they are imported
        import_module(f"partner_center_emulator.{name}")
    found: list[Route | Page] = []
    for name in RESOURCES:
        found.extend(import_module(f"partner_center_emulator.{name}.routes").ROUTES)
    return tuple(found)


def notice(emulator: Emulator, change: StateChange) -> None:
    """Tell the webhooks of a state change."""
    import_module("partner_center_emulator.webhooks.models").on_change(emulator, change)


def rearm(emulator: Emulator) -> None:
    """Put every resource's timers on the emulator's clock, computed from the present world."""
    for name in RESOURCES:
        arm = getattr(import_module(f"partner_center_emulator.{name}.models"), "rearm", None)
        if arm is not None:
            arm(emulator)
    for name in _PARTS:
        import_module(f"partner_center_emulator.{name}").rearm(emulator)

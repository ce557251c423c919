"""HTTP side (wire room)."""

from __future__ import annotations

from partner_center_emulator.requests import Route

ROUTES: tuple[Route, ...] = ()

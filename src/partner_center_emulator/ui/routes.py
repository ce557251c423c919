"""HTTP of the web page (wire room)."""

from __future__ import annotations

from partner_center_emulator.requests import Page

ROUTES: tuple[Page, ...] = ()

"""The emulator behind HTTP (wire room): the ASGI application. Importing ``Emulator`` from here works as well."""

from __future__ import annotations

from partner_center_emulator.emulator import Emulator, Options

__all__ = ["Emulator", "Options"]

"""The description over HTTP: ``GET /_emulator/openapi.json`` (wire room)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from partner_center_emulator import control, resources
from partner_center_emulator.openapi import document
from partner_center_emulator.requests import Page, Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from partner_center_emulator.emulator import Emulator


def every_route() -> tuple[Route | Page, ...]:
    """Return all routes the application serves: resources, control plane, faults, support, page for people."""
    pages: list[Page] = [*control.ROUTES, *ROUTES]
    for name in ("faults", "actors", "ui"):
        pages.extend(import_module(f"partner_center_emulator.{name}.routes").ROUTES)
    return (*resources.routes(), *pages)


@control.guarded
async def read_description(emulator: Emulator, _request: Request) -> object:
    """Return the OpenAPI description of everything this emulator serves."""
    return document.document(every_route(), emulator.options.base_url)


ROUTES: tuple[Page, ...] = (Page("GET", f"{control.PREFIX}/openapi.json", read_description),)

"""Faults of paths without bearer token (fault room): sign-in and the acceptance page can fail like everything else."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.faults import strike
from partner_center_emulator.faults.delivery import Delivery
from partner_center_emulator.requests import Page


async def answer(emulator: Emulator, page: Page, request: Request) -> tuple[Response, Delivery | None]:
    """Return the page's answer as the fault plan leaves it, and how it is delivered."""
    try:
        faults = await strike.before_page(emulator, page.key, str(request.path_params.get("tenant", "")))
    except ApiError as error:
        body = msgspec.json.encode(error.body())
        return Response(body, error.status, error.headers, "application/json"), None
    except strike.CutError as cut:
        return Response(b"", 502), cut.delivery
    response = await page.handler(emulator, request)
    if not faults:
        return response, None
    given: strike.Answer = (response.status_code, {}, bytes(response.body))
    (status, headers, body), delivery, _ = strike.spoil(faults, given)
    if (status, body) == given[::2]:
        return response, delivery
    kept = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(body, status, {**kept, **{name.lower(): value for name, value in headers.items()}}), delivery

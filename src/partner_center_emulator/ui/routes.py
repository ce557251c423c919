"""HTTP of the web page (wire room): pages to read, and two forms that change something.

Server-rendered, without scripts; everything from the world is escaped. A form counts only when it comes from a page of
this very address, so that no other site can move the clock through somebody's browser.
"""

from __future__ import annotations

import math
from datetime import datetime
from functools import cache, wraps
from importlib.resources import files
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import plan as plans
from partner_center_emulator.requests import Page, PageHandler
from partner_center_emulator.state.behaviour import FaultPlan
from partner_center_emulator.ui import presets, views

_ROOT = "/_emulator/ui"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # not "no-referrer": browsers would then hide where a form comes from, and it could not be told from a foreign one
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LONGEST_JUMP = 3660 * 86_400.0
_SPEEDS = (1.0, 60.0, 3600.0, 86_400.0)
_JUMPS = (("1 minute", 60), ("1 hour", 3600), ("1 day", 86_400), ("1 week", 604_800), ("30 days", 2_592_000))


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("partner_center_emulator.ui", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["moment"] = _moment
    made.filters["number"] = lambda value: f"{value:,}".replace(",", "\u202f")
    made.globals["status_class"] = views.status_class
    return made


def _moment(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else "never"


def _render(emulator: Emulator, name: str, status: int = 200, **values: object) -> Response:
    """Return a page; every page has the clock and knows whether faults are on."""
    shown = {
        "clock": emulator.clock.state(),
        "jumps": _JUMPS,
        "speeds": _SPEEDS,
        "faults_on": sum(fault.enabled for fault in emulator.world.behaviour.faults.plan.faults),
        **values,
    }
    return HTMLResponse(_templates().get_template(name).render(**shown), status, _HEADERS)


def _refused(emulator: Emulator, sentence: str, status: int) -> Response:
    return _render(emulator, "refused.html", status, here="/", sentence=sentence)


def _guarded(handler: PageHandler) -> PageHandler:
    """Return the handler, closed to requests by another name and to forms of other sites."""

    @wraps(handler)
    async def answer(emulator: Emulator, request: Request) -> Response:
        host = request.headers.get("host", "").lower()
        port = emulator.options.port
        if host not in {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}:
            return _refused(emulator, "This page is served at 127.0.0.1 only.", 403)
        if request.method == "POST" and not _is_from_here(request, f"http://{host}"):
            return _refused(emulator, "This form did not come from a page of the emulator, so nothing was done.", 403)
        return await handler(emulator, request)

    return answer


def _is_from_here(request: Request, own: str) -> bool:
    """Whether a form comes from our own page: by its origin, or by its referrer where a browser sends no origin."""
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.lower() == own
    referrer = urlsplit(request.headers.get("referer", ""))
    return f"{referrer.scheme}://{referrer.netloc}".lower() == own


@_guarded
async def show_world(emulator: Emulator, _request: Request) -> Response:
    """Return the world at a glance."""
    return _render(
        emulator,
        "world.html",
        here="/",
        world=emulator.world,
        tenants=views.tenant_rows(emulator),
        totals=views.totals(emulator),
        routes=views.busiest_routes(emulator),
        changes=views.latest_changes(emulator),
    )


@_guarded
async def show_customers(emulator: Emulator, request: Request) -> Response:
    """Return a page of the customers, or of those that match the search."""
    words = request.query_params.get("q", "")[:200]
    text = request.query_params.get("page", "1")
    page = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1  # noqa: PLR2004 - digits
    rows, count = views.find_customers(emulator, words, page)
    pages = max(1, math.ceil(count / views.PER_PAGE))
    here = f"{_ROOT}/customers"
    return _render(emulator, "customers.html", here=here, rows=rows, count=count, words=words, page=page, pages=pages)


@_guarded
async def show_customer(emulator: Emulator, request: Request) -> Response:
    """Return one customer on both sides."""
    customer = emulator.world.customers.get(request.path_params["customer"].lower())
    if customer is None:
        return _refused(emulator, "There is no such customer in this world.", 404)
    return _render(
        emulator,
        "customer.html",
        here=f"{_ROOT}/customers/{customer.id}",
        customer=customer,
        sides=views.sides(emulator, customer),
        changes=views.latest_changes(emulator, customer.id),
    )


@_guarded
async def show_faults(emulator: Emulator, _request: Request) -> Response:
    """Return the fault plan with its switches."""
    return _render(
        emulator,
        "faults.html",
        here=f"{_ROOT}/faults",
        seed=emulator.world.behaviour.faults.plan.seed,
        rows=views.fault_rows(emulator),
        presets={name: label for name, (label, _) in presets.PRESETS.items()},
        violations=emulator.world.violations[-views.PER_PAGE :][::-1],
    )


@_guarded
async def change_clock(emulator: Emulator, request: Request) -> Response:
    """Take the form of the clock: freeze, run, jump, speed."""
    form = await _form(request)
    clock, action = emulator.clock, form.get("action", "")
    try:
        if action in {"freeze", "run"}:
            clock.freeze(frozen=action == "freeze")
        elif action == "speed":
            clock.set_speed(_number(form.get("speed", "")))
        elif action == "advance":
            clock.advance(_number(form.get("seconds", "")))
        elif action == "next":
            due = clock.next_due()
            clock.advance_to(max(due, clock.now()) if due else clock.now())
        else:
            return _refused(emulator, "The clock knows no such button.", 400)
    except (ValueError, OverflowError):
        return _refused(emulator, "The clock cannot do that.", 400)
    return _back(form)


@_guarded
async def change_faults(emulator: Emulator, request: Request) -> Response:
    """Take the form of the faults: switch one, add a ready-made one, clear all."""
    form = await _form(request)
    action, name = form.get("action", ""), form.get("name", "")
    try:
        if action in {"on", "off"}:
            plans.switch(emulator.world, name, enabled=action == "on")
        elif action == "add":
            plans.add(emulator.world, [presets.make(name)])
        elif action == "clear":
            plans.install(emulator.world, FaultPlan())
        else:
            return _refused(emulator, "There is no such button for faults.", 400)
    except (KeyError, plans.PlanError):
        return _refused(emulator, "There is no such fault.", 400)
    return _back({"back": f"{_ROOT}/faults"})


async def style(_emulator: Emulator, _request: Request) -> Response:
    """Return the page's style sheet."""
    text = files("partner_center_emulator.ui").joinpath("templates", "style.css").read_bytes()
    return Response(text, media_type="text/css", headers={"X-Content-Type-Options": "nosniff"})


async def _form(request: Request) -> dict[str, str]:
    async with request.form(max_fields=20, max_files=0) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _number(text: str) -> float:
    number = float(text)
    if not 0 < number <= _LONGEST_JUMP:
        raise ValueError(text)
    return number


def _back(form: dict[str, str]) -> Response:
    """Answer with a redirect to the page of the form, so that a reload does not send it again; never elsewhere."""
    back = form.get("back", "/")
    own = back == "/" or (back.startswith(f"{_ROOT}/") and back.isprintable() and "\\" not in back and "//" not in back)
    return RedirectResponse(back if own else "/", 303, _HEADERS)


ROUTES = (
    Page("GET", "/", show_world),
    Page("GET", f"{_ROOT}/customers", show_customers),
    Page("GET", f"{_ROOT}/customers/{{customer}}", show_customer),
    Page("GET", f"{_ROOT}/faults", show_faults),
    Page("POST", f"{_ROOT}/clock", change_clock),
    Page("POST", f"{_ROOT}/faults", change_faults),
    Page("GET", f"{_ROOT}/style.css", style),
)

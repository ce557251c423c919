"""The acceptance page of the emulator in a real browser (core reference 6.2)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.relationships.models import request_url
from tests.emulator.serving import served
from tests.emulator.small_world import ALFA, TARGET, small_world

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: install the package chromium"),
]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Yield the small world behind a real server."""
    with served(small_world()) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """Yield a browser page that fails the test when the browser complains about the document."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        found = browser.new_page(java_script_enabled=request.param, viewport={"width": 1000, "height": 800})
        complaints: list[str] = []
        # the browser logs every answer of 400 and above; those pages are meant, everything else is not
        found.on(
            "console",
            lambda message: None if "the server responded" in message.text else complaints.append(message.text),
        )
        yield found
        browser.close()
    assert complaints == []


def open_link(page: Page, emulator: Emulator) -> None:
    """Open the relationship request link of the target tenant."""
    page.goto(request_url(emulator, emulator.world.partner_tenants[TARGET]))


def sign_in(page: Page, user_name: str) -> None:
    """Sign in with a user name."""
    page.get_by_label("User name").fill(user_name)
    page.get_by_role("button", name="Next").click()


def test_an_admin_accepts_the_request(page: Page, emulator: Emulator):
    """Open the link, sign in, forget the tick, tick, accept: the customer belongs to the target tenant."""
    open_link(page, emulator)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "admin@alfa.onmicrosoft.com")
    expect(page.get_by_text("Fold & Sons IE").first).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("alert")).to_have_text("Tick the box to accept the agreement.")
    page.get_by_label("I am authorized to act for Alfa Bygg AB").check()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_have_text("The request was accepted.")
    assert f"{TARGET}/{ALFA}" in emulator.world.relationships
    page.reload()
    expect(page.get_by_role("heading", name="is now your reseller")).to_be_visible()


def test_somebody_who_may_not_accept_reads_why(page: Page, emulator: Emulator):
    """A company with markup in its name is shown as text; an ordinary user is told who can accept."""
    open_link(page, emulator)
    sign_in(page, "kim@bravo.onmicrosoft.com")
    expect(page.get_by_role("alert")).to_have_text("Only a Global admin of Bravo <b>& Co</b> can accept this request.")
    page.get_by_role("link", name="Sign in as somebody else").click()
    sign_in(page, "admin@bravo.onmicrosoft.com")
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    assert emulator.world.changes == []


def test_the_page_fits_a_narrow_screen(page: Page, emulator: Emulator):
    """On a phone nothing has to be scrolled sideways."""
    page.set_viewport_size({"width": 360, "height": 740})
    open_link(page, emulator)
    sign_in(page, "admin@alfa.onmicrosoft.com")
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    box = page.locator("body").bounding_box()
    card = page.locator(".card").bounding_box()
    assert box is not None
    assert card is not None
    assert card["x"] + card["width"] <= box["x"] + box["width"]

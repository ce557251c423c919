"""The web page for people in a real browser, with scripts and without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from partner_center_emulator import demo_world
from partner_center_emulator.emulator import Emulator
from tests.emulator.serving import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: install the package chromium"),
]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Yield the demo world behind a real server."""
    with served(demo_world.build()) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """Yield a browser page that fails the test when the browser complains about the document."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        found = browser.new_page(java_script_enabled=request.param, viewport={"width": 1300, "height": 900})
        complaints: list[str] = []
        found.on("console", lambda message: complaints.append(message.text))
        yield found
        browser.close()
    assert complaints == []


def test_moves_the_clock_and_switches_faults(page: Page, emulator: Emulator):
    """What a person does: freeze, jump a day, add a fault, switch it off, look at a customer."""
    page.goto(emulator.options.base_url)
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_text("stands still")).to_be_visible()
    before = emulator.clock.now()
    page.get_by_role("button", name="1 day").click()
    expect(page.get_by_role("heading", name="The world at a glance")).to_be_visible()
    assert (emulator.clock.now() - before).total_seconds() == 86_400
    page.get_by_role("link", name="Faults").click()
    page.get_by_role("button", name="One storm of 429").click()
    expect(page.locator(".badge")).to_have_text("1 on")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    assert [fault.enabled for fault in emulator.world.behaviour.faults.plan.faults] == [False]


def test_finds_a_customer_and_shows_both_sides(page: Page, emulator: Emulator):
    """From the search to the two tables."""
    customer = emulator.world.customers[demo_world.odd_customers(emulator.world)["already_at_target"]]
    page.goto(f"{emulator.options.base_url}/_emulator/ui/customers")
    page.get_by_label("Name, domain or id").fill(customer.domain)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=customer.company_name).click()
    expect(page.get_by_role("heading", name=customer.company_name)).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(2)


@pytest.mark.parametrize("address", ["/", "/_emulator/ui/customers", "/_emulator/ui/faults"])
def test_fits_a_narrow_screen(page: Page, emulator: Emulator, address: str):
    """On a phone the page itself is never scrolled sideways."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(emulator.options.base_url + address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    box = page.locator("body").bounding_box()
    assert box is not None
    assert box["width"] <= 360
    for name in ("header", "main", ".clock"):
        part = page.locator(name).bounding_box()
        assert part is not None
        assert part["x"] + part["width"] <= 360

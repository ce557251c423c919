"""The report in a real browser: the policy holds, nothing overflows, links open what they point to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tenantfold.reports.html_report import write_html
from tests.reports.report_examples import moved_customer, report, stranded_customer

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]


@pytest.fixture
def browser() -> Iterator[Browser]:
    """The system's Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A written report with a hostile name in it."""
    write_html(
        report(stranded_customer("<script>document.title='owned'</script>"), moved_customer()), tmp_path / "r.html"
    )
    return (tmp_path / "r.html").as_uri()


def opened(browser: Browser, address: str, *, width: int, messages: list[str]) -> Page:
    """The report in a window of this width; complaints of the browser are collected."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("console", lambda message: messages.append(message.text))
    page.on("requestfailed", lambda request: messages.append(request.url))
    page.goto(address)
    return page


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_breaks_no_policy(browser: Browser, address: str, width: int):
    """Styles apply under the strict policy, nothing is loaded or run, and nothing sticks out at the side."""
    messages: list[str] = []
    page = opened(browser, address, width=width, messages=messages)
    assert page.title().startswith("Consolidation nordics")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('.tone-moved')).fill") == "rgb(29, 138, 80)"
    assert messages == []


def test_a_customer_in_the_list_opens_its_details(browser: Browser, address: str):
    """From the table to the subscriptions with a click or the keyboard, without any script."""
    page = opened(browser, address, width=1280, messages=[])
    inside = page.get_by_text("target-1")
    assert not inside.is_visible()
    page.get_by_role("link", name="Contoso AB").focus()
    page.keyboard.press("Enter")
    inside.wait_for(state="visible")


def test_paper_has_no_closed_details(browser: Browser, address: str):
    """What is closed cannot be opened on paper, so only open customers are printed, and the list always is."""
    page = opened(browser, address, width=800, messages=[])
    page.emulate_media(media="print")
    assert not page.get_by_role("heading", name="Customer by customer").is_visible()
    assert page.get_by_role("heading", name="Customers", exact=True).is_visible()
    page.evaluate("document.querySelector('details.customer').open = true")
    assert page.get_by_role("heading", name="Customer by customer").is_visible()

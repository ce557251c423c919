"""The conformance checks: the emulator meets them all, a broken site meets none, and one flaw fails one family."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import msgspec
import pytest
from starlette.types import Message, Receive, Scope, Send
from typer.testing import CliRunner

from partner_center_emulator import worlds
from partner_center_emulator.app import create_app
from partner_center_emulator.cli import app as command
from partner_center_emulator.clock import DEFAULT_START, Clock
from partner_center_emulator.conformance import suite
from partner_center_emulator.conformance.site import Known, Site, emulator_access, explore
from partner_center_emulator.emulator import Emulator
from tests.emulator.serving import served

Asgi = Callable[[Scope, Receive, Send], object]


def world_of_twenty() -> Emulator:
    """Return an emulator with twenty generated customers and a frozen clock."""
    return Emulator(worlds.make("generated", 3, 20, DEFAULT_START), None, Clock(DEFAULT_START, frozen=True))


async def outcomes(emulator: Emulator, *, through: Callable[[Asgi], Asgi] | None = None) -> list[suite.Outcome]:
    """Look around on the emulator as it is, then run every check through ``through``."""
    good = create_app(emulator)
    base = emulator.options.base_url
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=good), base_url=base) as client:
        site = Site(client, await emulator_access(client))
        known = await explore(site)
        known.unsigned_customer = _without_agreement(emulator, site.access.tenant)
        access = site.access
        if through is None:
            return await suite.run(site, write=True)
    bad = httpx2.ASGITransport(app=through(good))  # type: ignore[arg-type]  # an ASGI callable
    async with httpx2.AsyncClient(transport=bad, base_url=base) as client:
        return await suite.run(Site(client, access, Known(**msgspec.structs.asdict(known))), write=True)


def _without_agreement(emulator: Emulator, tenant_id: str) -> str:
    """Make one customer of the tenant without any agreement and return its id."""
    world = emulator.world
    row = next(row for row in reversed(world.relationships.values()) if row.tenant_id == tenant_id)
    customer = world.customers[row.customer_id]
    customer.direct_signed_agreement = False
    world.agreements = [kept for kept in world.agreements if kept.customer_id != customer.id]
    return customer.id


def empty_answers(_good: Asgi) -> Asgi:
    """Return a site that says yes and nothing else to everything."""

    async def site(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"{}"})

    return site


def without_correlation(good: Asgi) -> Asgi:
    """Return the emulator without the echo of the correlation id."""

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [row for row in message["headers"] if row[0] != b"ms-correlationid"]
            await send(message)

        await good(scope, receive, forward)  # type: ignore[misc]  # an ASGI callable

    return site


async def test_the_emulator_meets_every_check():
    """None is left untried either."""
    found = await outcomes(world_of_twenty())
    assert [(row.name, row.verdict, row.why) for row in found if row.verdict != "met"] == []
    assert len(found) == len(suite.CHECKS)


async def test_a_site_that_says_yes_to_everything_meets_nothing():
    """Every check can fail."""
    found = await outcomes(world_of_twenty(), through=empty_answers)
    assert [row.name for row in found if row.verdict != "not met"] == []


async def test_one_flaw_fails_the_check_about_it():
    """Without the echoed correlation id only the check of headers fails."""
    found = await outcomes(world_of_twenty(), through=without_correlation)
    assert [row.name for row in found if row.verdict == "not met"] == ["headers_echoed"]


async def test_reading_checks_change_nothing():
    """Without --write no change is recorded and no writing check runs."""
    emulator = world_of_twenty()
    transport = httpx2.ASGITransport(app=create_app(emulator))
    async with httpx2.AsyncClient(transport=transport, base_url=emulator.options.base_url) as client:
        site = Site(client, await emulator_access(client))
        await explore(site)
        before = len(emulator.world.changes)
        found = await suite.run(site)
    assert len(emulator.world.changes) == before
    assert len(found) == sum(not check.writes for check in suite.CHECKS)


def test_every_check_names_its_page_and_claim():
    """A section of the reference and a sentence each."""
    assert all(check.page.split(" ")[0] in {"core", "commerce"} and check.claim for check in suite.CHECKS)


def test_the_command_prints_a_table_and_its_exit_code():
    """Against a served emulator: 0, and a row per check."""
    with served(worlds.make("generated", 3, 20, DEFAULT_START)) as emulator:
        result = CliRunner().invoke(command, ["conformance", "--base-url", emulator.options.base_url, "--emulator"])
    assert result.exit_code == 0, result.output
    assert "| paging |" in result.output
    assert " 0 not met" in result.output


@pytest.mark.parametrize("words", [[], ["--token-file", "x", "--emulator"], ["--token-file", "no such file"]])
def test_the_command_refuses_to_begin_with_a_sentence(words: list[str]):
    """Exit code 2 for contradicting or missing access."""
    result = CliRunner().invoke(command, ["conformance", "--base-url", "http://127.0.0.1:1", *words])
    assert result.exit_code == 2


def test_the_description_is_printed():
    """Valid JSON of OpenAPI 3.1."""
    result = CliRunner().invoke(command, ["openapi"])
    assert msgspec.json.decode(result.output)["openapi"] == "3.1.0"

"""The commands ``openapi`` and ``conformance`` (command room)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import httpx2
import msgspec
import typer

from partner_center_emulator.conformance import suite
from partner_center_emulator.conformance.site import NotMetError, Site, emulator_access, explore, file_access
from partner_center_emulator.openapi import document
from partner_center_emulator.openapi.routes import every_route


def openapi() -> None:
    """Print the OpenAPI 3.1 description of everything the emulator serves."""
    typer.echo(msgspec.json.format(msgspec.json.encode(document.document(every_route())), indent=2))


def conformance(
    base_url: Annotated[str, typer.Option(help="The site, for example http://127.0.0.1:8700.")],
    *,
    token_file: Annotated[Path | None, typer.Option(help="JSON with partner_token, app_token, graph_token ...")] = None,
    emulator: Annotated[bool, typer.Option("--emulator", help="The site is an emulator; it says how to sign in.")] = (
        False
    ),
    write: Annotated[bool, typer.Option("--write", help="Also run the checks that buy and change; sandboxes only.")] = (
        False
    ),
    json_file: Annotated[
        Path | None, typer.Option(help="Where to write the outcomes as JSON; - is the screen.")
    ] = None,
) -> None:
    """Check a site against the documented behaviour; exit code 1 if a claim is not met, 2 if it cannot begin."""
    if emulator == (token_file is not None):
        typer.echo("Say either --emulator or --token-file.", err=True)
        raise typer.Exit(2)
    try:
        outcomes = asyncio.run(_check(base_url, token_file, write=write))
    except (OSError, httpx2.HTTPError, msgspec.MsgspecError, NotMetError, KeyError) as error:
        typer.echo(f"The site cannot be checked: {error}", err=True)
        raise typer.Exit(2) from error
    made = msgspec.json.format(msgspec.json.encode(outcomes), indent=2)
    if json_file is not None and str(json_file) != "-":
        json_file.write_bytes(made)
    typer.echo(made.decode() if str(json_file) == "-" else suite.table(outcomes), nl=False)
    if any(row.verdict == "not met" for row in outcomes):
        raise typer.Exit(1)


async def _check(base_url: str, token_file: Path | None, *, write: bool) -> list[suite.Outcome]:
    async with httpx2.AsyncClient(base_url=base_url, timeout=60, trust_env=token_file is not None) as client:
        access = file_access(token_file) if token_file else await emulator_access(client)
        site = Site(client, access)
        await explore(site)
        return await suite.run(site, write=write)

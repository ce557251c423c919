"""The command ``partner-center-emulator`` (command room): serve a world, print the coverage table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from partner_center_emulator import coverage as coverage_table
from partner_center_emulator import resources, server, worlds
from partner_center_emulator.clock import DEFAULT_START, Clock
from partner_center_emulator.conformance import command
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.faults import plan
from partner_center_emulator.world import World

app = typer.Typer(
    name="partner-center-emulator",
    help="A pretended Microsoft Partner Center on this machine, with its own clock and a truth ledger.",
    no_args_is_help=True,
    add_completion=False,
)

_KINDS: dict[str, worlds.Kind] = {"demo": "demo", "mixed": "mixed"}


@app.command()
def serve(  # noqa: PLR0913 - one argument per option of the command
    *,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8700,
    seed: Annotated[int, typer.Option(help="Seed of a generated world.")] = 1,
    customers: Annotated[int, typer.Option(help="Customers of a generated world.")] = 100,
    world: Annotated[str, typer.Option(help="A snapshot file, or demo or mixed; empty generates a world.")] = "",
    snapshot: Annotated[Path | None, typer.Option(help="Loaded on start if it exists, written on exit.")] = None,
    start_at: Annotated[str, typer.Option(help="First reading of the clock, ISO 8601, UTC.")] = "",
    frozen: Annotated[bool, typer.Option("--frozen", help="The clock stands still until it is moved.")] = False,
    speed: Annotated[float, typer.Option(help="Emulated seconds per real second.")] = 1.0,
    strict: Annotated[
        Literal["off", "record", "fail"],
        typer.Option(help="Judge how clients behave: record it (also --strict alone), or answer with errors as well."),
    ] = "off",
    faults: Annotated[Path | None, typer.Option(help="A fault plan in TOML.")] = None,
    new_commerce_share: Annotated[float, typer.Option(help="New commerce in a generated world, 0 to 1.")] = 0.0,
) -> None:
    """Serve a world until interrupted."""
    try:
        state = _loaded(world, snapshot) or worlds.make(
            _KINDS.get(world, "generated"),
            seed,
            customers,
            _start(start_at),
            new_commerce_share=new_commerce_share,
        )
        if faults is not None:
            plan.install(state, plan.read_file(faults))
        clock = Clock(state.clock_at or state.started_at, frozen=frozen, speed=speed)
        bound = server.bind(port)
    except (OSError, ValueError, msgspec.ValidationError, msgspec.DecodeError) as error:
        typer.echo(f"The emulator cannot start: {error}", err=True)
        raise typer.Exit(2) from error
    emulator = Emulator(state, Options(port=bound.getsockname()[1], strict=False if strict == "off" else strict), clock)
    typer.echo(
        f"Partner Center emulator: {emulator.options.base_url} ({len(state.customers)} customers, seed {state.seed})"
    )
    with bound:
        serving = server.make_server(emulator, (lambda: worlds.save(emulator, snapshot)) if snapshot else None)
        try:
            serving.run(sockets=[bound])
        except KeyboardInterrupt:
            typer.echo("Stopped.")


@app.command()
def coverage() -> None:
    """Print what is emulated, and whether it is documented or assumed, as a Markdown table."""
    resources.routes()  # importing every resource registers its behaviours
    typer.echo(coverage_table.markdown_table(), nl=False)


app.command()(command.openapi)
app.command()(command.conformance)


def _start(text: str) -> datetime:
    if not text:
        return DEFAULT_START
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _loaded(name: str, snapshot: Path | None) -> World | None:
    if snapshot is not None and snapshot.exists():
        return worlds.load(snapshot)
    if name and name not in _KINDS:
        return worlds.load(Path(name))
    return None


def with_values(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``--strict`` alone written as ``--strict=record``."""
    following = [*arguments, "-"][1:]
    return [
        "--strict=record" if word == "--strict" and after.startswith("-") else word
        for word, after in zip(arguments, following, strict=True)
    ]


def main() -> None:
    """Run the command line."""
    app(args=with_values(sys.argv[1:]))

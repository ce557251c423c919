"""Options that every command has, and how a command is run: open the program, do the work, close it, map errors."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from tenantfold import config
from tenantfold.bootstrap import Program, open_program
from tenantfold.cli.render import Renderer
from tenantfold.errors import ExitCode, TenantfoldError

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file; else TENANTFOLD_CONFIG, else ./tenantfold.toml.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on standard output.")]

Work = Callable[[Program, Renderer], Awaitable[ExitCode]]


def run_command(config_path: Path | None, as_json: bool, work: Work) -> None:  # noqa: FBT001  # passed on from Typer
    """Run one command's work inside an open program and leave with its exit code."""
    renderer = Renderer(as_json=as_json)

    async def inside() -> ExitCode:
        async with open_program(config.load(config_path)) as program:
            return await work(program, renderer)

    raise typer.Exit(guarded(renderer, lambda: asyncio.run(inside())))


def guarded(renderer: Renderer, work: Callable[[], ExitCode]) -> ExitCode:
    """The exit code of some work; our errors become one clear sentence, Ctrl-C its own code."""
    try:
        return work()
    except TenantfoldError as error:
        renderer.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def on_interrupt(stop: Callable[[], None], renderer: Renderer) -> None:
    """First Ctrl-C (or SIGTERM): ask the work to stop in order. Second: stop at once; nothing is lost either way."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        renderer.line("stopping after the calls in flight; press Ctrl-C again to stop at once", style="yellow")
        stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)

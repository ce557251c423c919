"""Commands that write files for people: export and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenantfold.cli.options import ConfigOption, JsonOption


def export(
    *,
    what: Annotated[str, typer.Argument()],
    to: Annotated[Path, typer.Option("--to")],
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Placeholder until the reports land."""


def report(
    *,
    to: Annotated[Path | None, typer.Option("--to")] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Placeholder until the reports land."""

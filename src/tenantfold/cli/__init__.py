"""The command line: thin. Parse, call a use case, print a report. See main.py for the list of commands."""

from tenantfold.cli.main import app, main

__all__ = ["app", "main"]

"""How a long use case tells a person how far it is. The shell decides how that looks."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Receives progress; must not raise."""

    def update(self, label: str, done: int, total: int | None) -> None:
        """Say that ``done`` of ``total`` (None: unknown) things labeled ``label`` are finished."""
        ...


class Silent:
    """A reporter for programs and tests."""

    def update(self, label: str, done: int, total: int | None) -> None:
        """Say nothing."""

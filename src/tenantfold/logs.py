"""Logging: one JSON object a line, in the program's time, without secrets (invariant 10)."""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import structlog


def configure_logging(level: str, file: Path, *, redact: Callable[[str], str], now: Callable[[], datetime]) -> TextIO:
    """Set up structlog for this process and return the open file, for its owner to close.

    ``redact`` removes secrets from every text that is about to be written; ``now`` is the program's clock.
    """

    def stamped(_logger: object, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"at": now().isoformat()} | dict(line)

    def without_secrets(_logger: object, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: redact(value) if isinstance(value, str) else value for key, value in line.items()}

    file.parent.mkdir(parents=True, exist_ok=True)
    opened = file.open("a", encoding="utf-8")
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamped, without_secrets, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(opened),
        cache_logger_on_first_use=False,
    )
    return opened

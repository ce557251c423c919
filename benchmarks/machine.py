"""What the figures were measured on, and how busy it was: CPU seconds mean little without."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path

YARDSTICK_ROUNDS = 5_000_000


def machine() -> Mapping[str, str | int | float]:
    """The machine in a few facts. ``yardstick_seconds`` is the CPU time of a fixed loop here and now."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
        "yardstick_seconds": round(yardstick(), 3),
    }


def yardstick() -> float:
    """CPU seconds for adding up five million numbers: a busy neighbor on the same core makes this slower, too."""
    began = time.process_time()
    total = 0
    for number in range(YARDSTICK_ROUNDS):
        total += number
    assert total > 0
    return time.process_time() - began


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())

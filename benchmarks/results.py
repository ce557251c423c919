"""The results that are kept: one small JSON file per benchmark, with the machine it ran on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.measure import Measurement

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measurement and what it was made on."""

    machine: Mapping[str, str | int | float]
    measurement: Measurement


def save(result: Result, folder: Path) -> None:
    """Write a result in place of the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    document = msgspec.json.format(msgspec.json.encode(result), indent=1)
    (folder / f"{result.measurement.name}.json").write_bytes(document + b"\n")


def read_all(folder: Path) -> list[Result]:
    """All results, by name of the benchmark."""
    return [msgspec.json.decode(file.read_bytes(), type=Result) for file in sorted(folder.glob("*.json"))]

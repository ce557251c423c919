"""Reading Microsoft's published JSON samples and comparing shapes; the samples themselves are not in this project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

Json = dict[str, object]


def sample_body(name: str) -> Json:
    """Return the body of one sample file; skips the test if TENANTFOLD_WIRE_SAMPLES does not say where they are."""
    folder = os.environ.get("TENANTFOLD_WIRE_SAMPLES")
    if not folder:
        pytest.skip("TENANTFOLD_WIRE_SAMPLES is not set")
    sample = json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))
    return cast("Json", sample["body"])


def first_item(body: Json) -> Json:
    """Return the first item of a collection."""
    return cast("list[Json]", body["items"])[0]


def missing(sample: object, answer: object, path: str = "") -> Iterator[str]:
    """Yield every member of ``sample`` that ``answer`` lacks, or has with another JSON type; names are compared as is.

    Lists are compared by their first elements; an empty list says nothing about its elements.
    """
    if isinstance(sample, dict):
        if not isinstance(answer, dict):
            yield f"{path}: not an object"
            return
        for name, value in sample.items():
            if name not in answer:
                yield f"{path}/{name}: missing"
            else:
                yield from missing(value, answer[name], f"{path}/{name}")
    elif isinstance(sample, list):
        if not isinstance(answer, list):
            yield f"{path}: not a list"
        elif sample and answer:
            yield from missing(sample[0], answer[0], f"{path}[0]")
    elif sample is not None and not _same_type(sample, answer):
        yield f"{path}: {type(answer).__name__} instead of {type(sample).__name__}"


def _same_type(sample: object, answer: object) -> bool:
    if isinstance(sample, bool) or isinstance(answer, bool):
        return isinstance(sample, bool) and isinstance(answer, bool)
    if isinstance(sample, int | float) and isinstance(answer, int | float):
        return True
    return isinstance(answer, type(sample))

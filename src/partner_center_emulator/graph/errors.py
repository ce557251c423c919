"""Errors of the emulated Graph (wire room): its own form, with words for codes (core reference 8)."""

from __future__ import annotations

from partner_center_emulator.errors import ApiError


def bad_request(sentence: str) -> ApiError:
    """Return a 400."""
    return ApiError(400, 0, sentence, "graph", name="BadRequest")


def forbidden(sentence: str) -> ApiError:
    """Return a 403."""
    return ApiError(403, 0, sentence, "graph", name="Forbidden")


def missing(sentence: str) -> ApiError:
    """Return a 404."""
    return ApiError(404, 0, sentence, "graph", name="NotFound")


def conflict(sentence: str) -> ApiError:
    """Return a 409."""
    return ApiError(409, 0, sentence, "graph", name="Conflict")


def stale(sentence: str) -> ApiError:
    """Return a 412."""
    return ApiError(412, 0, sentence, "graph", name="PreconditionFailed")

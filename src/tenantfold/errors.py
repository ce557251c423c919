"""The tree of errors. Every error has a code, an exit code for the CLI and facts (ids, never secrets).

TenantfoldError
  ConfigError                 a setting is wrong, unknown or missing (exit 2)
  InputError                  a file or argument given by a person is wrong (exit 2)
  PartnerCenterError          something between us and Microsoft (exit 4)
    AuthError                 no token: nothing will work
    RoleMissingError          signed in, but without the right Partner Center role
    ThrottledError            429 after all waiting
    UnavailableError          5xx or no connection; the call had no effect that we know of
    NoAnswerError             the call was sent and no whole answer came back: effect unknown
    NotFoundError             the thing does not exist (or not for this tenant)
    ConflictError             state moved under us (stale eTag, duplicate): read again
    RefusedError              Microsoft says no for a business reason (its code is kept)
    UnexpectedAnswerError     an answer that could not be read
  StoreError                  our own database (exit 5)
    LedgerBusyError           another run holds the ledger
    SchemaTooNewError         the database was written by a newer program
    SchemaTooOldError         the database needs `tenantfold init`
  SnapshotIncompleteError     a snapshot was not read to its end (exit 3)
  PlanMissingError            there is no plan yet (exit 3)
  PlanStaleError              the plan no longer matches what it was built on (exit 3)
  PlanNotApprovedError        nobody approved this plan (exit 3)
  WaveRefusedError            a wave is too large or cannot finish today (exit 3)
  PlanRefusedError            a plan says what must never be done (exit 3)

A guard's *no* is a ``Refusal`` value (``domain.guards``), not an exception.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the command line; documented in docs/reference/errors.md."""

    OK = 0
    INTERNAL = 1
    BAD_INPUT = 2
    NOT_READY = 3
    PARTNER_CENTER = 4
    STORE = 5
    UNFINISHED = 6  # a run ended with customers that still wait for somebody
    INTERRUPTED = 130


class TenantfoldError(Exception):
    """Base of all our errors: one sentence for people, a code for programs, facts for both."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, message: str, *, next_step: str = "", **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.facts = facts


def leading_error(group: ExceptionGroup[Exception]) -> Exception:
    """The first error of ours in a group (tasks fail together); the group itself when there is none in it.

    ``except*`` is not used for this: what is raised inside it arrives wrapped on some 3.11 patch releases.
    """
    ours = group.subgroup(TenantfoldError)
    found: Exception = ours if ours is not None else group
    while ours is not None and isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found


class ConfigError(TenantfoldError):
    """A setting is wrong: the message says which, where it was read and what is allowed."""

    code = "config"
    exit_code = ExitCode.BAD_INPUT


class InputError(TenantfoldError):
    """A file, row or argument given by a person is wrong; nothing was changed."""

    code = "input"
    exit_code = ExitCode.BAD_INPUT


class PartnerCenterError(TenantfoldError):
    """Base of everything that went wrong between us and Microsoft."""

    code = "partner_center"
    exit_code = ExitCode.PARTNER_CENTER


class AuthError(PartnerCenterError):
    """Microsoft gave no token (wrong or expired secret, revoked sign-in, missing MFA)."""

    code = "auth"


class RoleMissingError(PartnerCenterError):
    """The signed-in user lacks the Partner Center role the call needs (S-10: Admin agent)."""

    code = "role_missing"


class ThrottledError(PartnerCenterError):
    """Microsoft kept answering 429 for longer than we are allowed to wait."""

    code = "throttled"


class UnavailableError(PartnerCenterError):
    """Microsoft could not be reached or answered 5xx before the call took effect."""

    code = "unavailable"


class NoAnswerError(PartnerCenterError):
    """The call left us and no whole answer came back; for a write the effect is unknown: reconcile first."""

    code = "no_answer"


class NotFoundError(PartnerCenterError):
    """The resource does not exist, or not for this partner tenant."""

    code = "not_found"


class ConflictError(PartnerCenterError):
    """The state moved under us (stale eTag 2055, duplicate): read again before deciding anything."""

    code = "conflict"


class RefusedError(PartnerCenterError):
    """Microsoft refuses for a business reason; facts hold its HTTP status, code and description."""

    code = "refused"


class UnexpectedAnswerError(PartnerCenterError):
    """An answer arrived that could not be read; the raw text is kept in the facts, shortened."""

    code = "unexpected_answer"


class SignatureError(PartnerCenterError):
    """A delivery to our receiver is not proven to come from Microsoft; nothing in it is believed."""

    code = "signature"


class StoreError(TenantfoldError):
    """Base of errors of our own database."""

    code = "store"
    exit_code = ExitCode.STORE


class LedgerBusyError(StoreError):
    """Another process works on this ledger."""

    code = "ledger_busy"


class SchemaTooNewError(StoreError):
    """The database was written by a newer program than this one."""

    code = "schema_too_new"


class SchemaTooOldError(StoreError):
    """The database is missing or older than this program and must be migrated first."""

    code = "schema_too_old"


class SnapshotIncompleteError(TenantfoldError):
    """The newest snapshot of a tenant was not read to its end; a plan on it would be a guess."""

    code = "snapshot_incomplete"
    exit_code = ExitCode.NOT_READY


class PlanMissingError(TenantfoldError):
    """There is no plan yet."""

    code = "plan_missing"
    exit_code = ExitCode.NOT_READY


class PlanStaleError(TenantfoldError):
    """The plan no longer matches the snapshots it was built on."""

    code = "plan_stale"
    exit_code = ExitCode.NOT_READY


class PlanNotApprovedError(TenantfoldError):
    """Nobody approved this plan, so nothing of it may run (invariant 5)."""

    code = "plan_not_approved"
    exit_code = ExitCode.NOT_READY


class PlanRefusedError(TenantfoldError):
    """A plan item says what no plan may say, such as suspending new commerce to stop its bill (invariant 7)."""

    code = "plan_refused"
    exit_code = ExitCode.NOT_READY


class WaveRefusedError(TenantfoldError):
    """A wave may not start: it is too large, or cannot finish today; facts hold each rule with its numbers."""

    code = "wave_refused"
    exit_code = ExitCode.NOT_READY

"""Secrets by reference (settings room): where a secret is, never what it is (DESIGN 3, invariant 10).

A reference is ``env:NAME`` or ``file:path``. Only ``SecretResolver`` turns one into its value, as late as possible.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenantfold.errors import ConfigError

HIDDEN = "***"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST_REDACTED = 6  # shorter values would turn whole logs into stars


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is. ``place`` is the name of an environment variable or the absolute path of a file."""

    scheme: str
    place: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.place}"

    @classmethod
    def parse(cls, text: str, base: Path) -> SecretRef:
        """Read ``env:NAME`` or ``file:path``; a relative path starts at ``base``.

        Raises ValueError without the text: what is no reference may be the secret itself.
        """
        scheme, colon, place = text.partition(":")
        if colon and scheme == "env" and _VARIABLE.fullmatch(place):
            return cls("env", place)
        if colon and scheme == "file" and place.strip() and "\n" not in place and "\0" not in place:
            return cls("file", str(base / Path(place).expanduser()))
        raise ValueError("not a reference to a secret")


class SecretResolver:
    """Reads and writes secrets behind references, and knows which values must never be shown."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._seen: set[str] = set()

    def resolve(self, ref: SecretRef) -> str:
        """The secret itself, without a trailing newline. ConfigError when it is not there, unreadable or empty."""
        value = self._from_environment(ref) if ref.scheme == "env" else self._from_file(ref)
        self._seen.add(value)
        return value

    def write(self, ref: SecretRef, value: str) -> bool:
        """Replace the secret in a file as a whole, readable by its owner only; False for environment variables.

        Used for refresh tokens, which Microsoft renews (core reference 2). Raises ConfigError when the file cannot be
        written; the old value then still stands.
        """
        if value:
            self._seen.add(value)
        if ref.scheme != "file":
            return False
        # Follow a link to the file itself: replacing the link would leave the real secret old.
        path = Path(os.path.realpath(ref.place))
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
        try:
            _write_private(draft, value)
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise ConfigError(
                f"The secret file {ref.place} could not be written: {error.strerror or 'unknown reason'}.",
                next_step="Make its folder writable for this program; the old secret is still in place.",
                path=ref.place,
            ) from error
        return True

    def warning(self, ref: SecretRef) -> str:
        """What is careless about a reference (a file that everybody on this machine can read), or an empty text."""
        if ref.scheme != "file" or os.name != "posix":
            return ""
        try:
            mode = stat.S_IMODE(Path(ref.place).stat().st_mode)
        except OSError:
            return ""  # resolve() says what is wrong with it
        if not mode & stat.S_IROTH:
            return ""
        return (
            f"Everybody on this machine can read the secret file {ref.place} (mode {mode:04o}); "
            f"run: chmod 600 {ref.place}"
        )

    def redact(self, text: str) -> str:
        """A text with every secret that was resolved or written replaced by stars; for logs and error messages."""
        for value in sorted(self._seen, key=len, reverse=True):
            if len(value) >= _SHORTEST_REDACTED:
                text = text.replace(value, HIDDEN)
        return text

    def _from_environment(self, ref: SecretRef) -> str:
        value = self._environ.get(ref.place, "").strip()
        if not value:
            raise ConfigError(
                f"The environment variable {ref.place}, which should hold a secret, is not set or empty.",
                next_step=f"Set {ref.place} before starting the program.",
                variable=ref.place,
            )
        return value

    def _from_file(self, ref: SecretRef) -> str:
        try:
            value = Path(ref.place).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(
                f"The secret file {ref.place} could not be read: {error.strerror or 'unknown reason'}.",
                next_step="Create it with the secret as its only content, readable by you only (chmod 600).",
                path=ref.place,
            ) from error
        except UnicodeDecodeError:
            # The cause would carry the bytes of the file, which are secret.
            raise ConfigError(f"The secret file {ref.place} is not UTF-8 text.", path=ref.place) from None
        if not value:
            raise ConfigError(f"The secret file {ref.place} is empty.", path=ref.place)
        return value


def _write_private(path: Path, value: str) -> None:
    """Write a new file that only its owner can read, down to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())

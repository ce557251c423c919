"""What a setting may be (settings room): its kind, and what its value is checked against."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from pathlib import Path

from tenantfold.secret_refs import SecretRef

SettingValue = str | int | float | time | Path | SecretRef | tuple[str, ...] | None


class Kind(StrEnum):
    """What a setting's value is; the text is how an error names it."""

    TEXT = "a text"
    TEXTS = "a list of texts"
    NAME = "a short name"
    GUID = "a GUID"
    WHOLE_NUMBER = "a whole number"
    SECONDS = "a number of seconds"
    TIME_OF_DAY = "a time of day"
    URL = "a web address"
    DATABASE = "a database address"
    PATH = "a path"
    SECRET = "a reference to a secret"  # noqa: S105 - the name of a kind, not a secret


class Required:
    """The mark of a setting that has no default."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = Required()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def admits(self, value: object) -> bool:
        """Whether the value is one of the words."""
        return value in self.words

    def __str__(self) -> str:
        return " or ".join(f'"{word}"' for word in self.words)


@dataclass(frozen=True, slots=True)
class Between:
    """A number from ``low`` to ``high``, both included."""

    low: float
    high: float

    def admits(self, value: object) -> bool:
        """Whether the value is a number inside the limits."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Shape:
    """A text that matches a pattern as a whole; ``words`` says in words what the pattern means."""

    pattern: re.Pattern[str]
    words: str

    def admits(self, value: object) -> bool:
        """Whether the value is a text of this shape."""
        return isinstance(value, str) and self.pattern.fullmatch(value) is not None

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Each:
    """A list of texts that all have one shape."""

    shape: Shape

    def admits(self, value: object) -> bool:
        """Whether the value is a list of such texts."""
        return isinstance(value, tuple) and all(map(self.shape.admits, value))

    def __str__(self) -> str:
        return f"a list, each {self.shape.words}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. ``name`` is the path in the TOML file; ``sources[]`` stands for each source tenant.

    ``default`` is REQUIRED when there is none; ``allowed`` is checked and shown in errors, docs and template.
    """

    name: str
    type: Kind
    default: SettingValue | Required
    help: str
    allowed: Choice | Between | Shape | Each | str = ""

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return isinstance(self.default, Required)

    @property
    def allowed_text(self) -> str:
        """What may stand here, in words."""
        if isinstance(self.allowed, Between):
            return f"{self.type.value}, {self.allowed}"
        return str(self.allowed) or self.type.value


GUID = Shape(
    re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "a GUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
)
NAME = Shape(re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"), "lower-case letters, digits and single hyphens, such as nordics")
URL = Shape(
    re.compile(r"https://[^\s/?#@]+[^\s?#@]*|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s?#@]*)?"),
    "an https address (http only on this machine), without a user name or password in it",
)
DATABASE = Shape(
    re.compile(r"sqlite:///\S.*|postgresql(\+psycopg)?://(?![^/\s]*:[^@\s]*@)(?!\S*[?&]password=)\S+"),
    "sqlite:///path or postgresql://user@host/name, without a password (that is database_password)",
)
_ROLE = r"[A-Za-z][A-Za-z ]*[A-Za-z]|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ROLE = Shape(re.compile(_ROLE), 'the name or template id of an Entra role, such as "Service support administrator"')
GROUP = Shape(
    re.compile(rf"{GUID.pattern.pattern}\s*:\s*(?:{_ROLE})(?:\s*,\s*(?:{_ROLE}))*"),
    'a group\'s object id, a colon and roles, such as "3f2504e0-4f89-41d3-9a0c-0305e82c3301: Global reader"',
)
HOSTS = Shape(
    re.compile(r"[A-Za-z0-9.\-]+(:\d+)?(\s*,\s*[A-Za-z0-9.\-]+(:\d+)?)*"),
    "host names, with a port if it is not the usual one, separated by commas",
)
REFERENCE = "env:NAME or file:path, never the secret itself"
CLOUDS = ("commercial", "us_government")

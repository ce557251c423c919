"""Reads the settings (settings room): TOML file, then environment, checked against the one table of settings.

The only reader of the environment in the product. ``load`` finds and checks everything and reports every problem at
once; ``origins`` says where each value came from; ``template`` makes the file that ``tenantfold init`` writes.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

import msgspec

from tenantfold.errors import ConfigError
from tenantfold.secret_refs import HIDDEN, SecretRef, SecretResolver
from tenantfold.settings import (
    BY_NAME,
    SETTINGS,
    CloudSettings,
    FileSettings,
    GdapSettings,
    LimitSettings,
    LogSettings,
    PolicySettings,
    Settings,
    TenantSettings,
    WaveSettings,
    WebhookSettings,
    WorkerSettings,
)
from tenantfold.settings_kinds import NAME, Kind, Setting, SettingValue
from tenantfold.settings_text import OriginRow, origins, template, variable_name

__all__ = [
    "CONFIG_FILE",
    "CONFIG_VARIABLE",
    "SETTINGS",
    "CloudSettings",
    "FileSettings",
    "GdapSettings",
    "LimitSettings",
    "LogSettings",
    "OriginRow",
    "PolicySettings",
    "SecretRef",
    "SecretResolver",
    "Setting",
    "Settings",
    "TenantSettings",
    "find_file",
    "load",
    "origins",
    "resolver",
    "template",
    "variable_name",
]

CONFIG_FILE = "tenantfold.toml"
CONFIG_VARIABLE = "TENANTFOLD_CONFIG"
_PREFIX = "TENANTFOLD_"
_SECTIONS = frozenset(name.rpartition(".")[0] for name in BY_NAME if "." in name) - {"sources[]"}
_PLAIN_NAMES = tuple(name for name in BY_NAME if "." not in name)
_SOURCE_FIELDS = tuple(name.partition(".")[2] for name in BY_NAME if name.startswith("sources[]."))
_HARMLESS = re.compile(r"[0-9a-fA-F-]{1,36}|<[^<>]*>")


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it, and where. ``is_text``: it came from the environment, where all is text."""

    value: object
    origin: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class _Problem:
    """Something wrong: a sentence, and the facts of it (never a secret)."""

    sentence: str
    facts: Mapping[str, object]


@dataclass(slots=True)
class _Draft:
    """What was found so far. ``sources`` are by key, or by position (``#1``) while they have no key."""

    place: str  # the file's path, or "the environment"
    base: Path
    plain: dict[str, _Given] = field(default_factory=dict)
    sources: dict[str, dict[str, _Given]] = field(default_factory=dict)
    problems: list[_Problem] = field(default_factory=list)

    def complain(self, sentence: str, **facts: object) -> None:
        """Note a problem and go on, so that a person sees all of them at once."""
        self.problems.append(_Problem(sentence, facts))


def load(path: Path | None = None, *, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Read and check all settings: from ``path`` (``--config``), TENANTFOLD_CONFIG or the working directory.

    The environment wins over the file. Raises ConfigError that names every problem with its file, key and what is
    allowed; secrets that somebody wrote out are never repeated.
    """
    variables = os.environ if environ is None else environ
    file = find_file(path, environ=variables, folder=folder)
    base = file.parent if file else (folder or Path.cwd())
    draft = _Draft(place=str(file) if file else "the environment", base=base)
    if file is not None:
        _take_file(draft, file)
    _take_environment(draft, variables)
    settings = _build(draft, file)
    if settings is None or draft.problems:
        raise _config_error(draft, file)
    return settings


def find_file(
    path: Path | None = None, *, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Path | None:
    """The configuration file, absolute; None when nobody named one and there is none in the working directory.

    Raises ConfigError when a file that was named does not exist.
    """
    variables = os.environ if environ is None else environ
    here = folder or Path.cwd()
    named = variables.get(CONFIG_VARIABLE, "")
    for candidate, origin in ((path, "--config"), (Path(named) if named else None, CONFIG_VARIABLE)):
        if candidate is None:
            continue
        file = (here / candidate.expanduser()).resolve()
        if not file.is_file():
            raise ConfigError(
                f"{origin} names {candidate}, but there is no such file.",
                next_step=f"Correct {origin}, or write a file with: tenantfold init",
                path=str(file),
            )
        return file
    default = (here / CONFIG_FILE).resolve()
    return default if default.is_file() else None


def resolver(environ: Mapping[str, str] | None = None) -> SecretResolver:
    """The object that turns references to secrets into secrets, reading this process's environment."""
    return SecretResolver(os.environ if environ is None else environ)


# --- taking in what people wrote ------------------------------------------------------------------------------------


def _take_file(draft: _Draft, file: Path) -> None:
    """Take every key of the TOML file into the draft; unknown keys are problems."""
    try:
        document = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{file} could not be read: {error.strerror or 'unknown reason'}.", path=str(file)) from error
    except UnicodeDecodeError as error:
        # The cause would carry the file's bytes, and with them perhaps a secret.
        raise ConfigError(f"{file} is not UTF-8 text (at byte {error.start}).", path=str(file)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.", path=str(file)) from None
    origin = str(file)
    tables = document.pop("sources", [])
    for name, value in _flat(document):
        if name in BY_NAME:
            draft.plain[name] = _Given(value, origin)
        else:
            _unknown(draft, name, origin, is_section=name in _SECTIONS)
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        draft.complain(f"{origin}: write each source tenant as its own [[sources]] table.", setting="sources")
        return
    for position, table in enumerate(tables, start=1):
        _take_source(draft, table, position, origin)


def _flat(document: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """All keys below a table with their dotted names; an empty table that is no section counts as a key."""
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and name not in BY_NAME and (value or name in _SECTIONS):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _take_source(draft: _Draft, table: Mapping[str, object], position: int, origin: str) -> None:
    """Take one [[sources]] table; two with the same key are a problem."""
    key = table.get("key")
    label = key if isinstance(key, str) and NAME.admits(key) else f"#{position}"
    if label in draft.sources:
        draft.complain(f'{origin}: two sources have the key "{label}"; keys must differ.', setting="sources[].key")
        return
    given = draft.sources.setdefault(label, {})
    for field_name, value in table.items():
        if field_name in _SOURCE_FIELDS:
            given[field_name] = _Given(value, origin)
        else:
            _unknown(draft, f"sources[].{field_name}", origin)


def _take_environment(draft: _Draft, environ: Mapping[str, str]) -> None:
    """Let TENANTFOLD_ variables win over the file. Empty ones count as not set, as compose files leave them so."""
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable == CONFIG_VARIABLE or not environ[variable]:
            continue
        given = _Given(environ[variable], f"environment variable {variable}", is_text=True)
        parts = variable.removeprefix(_PREFIX).lower().split("__")
        name = ".".join(parts)
        if parts[0] == "sources" and len(parts) == 3 and parts[2] in _SOURCE_FIELDS:  # noqa: PLR2004 - sources, key, field
            key = parts[1].replace("_", "-")
            draft.sources.setdefault(key, {"key": _Given(key, given.origin, is_text=True)})[parts[2]] = given
        elif name in BY_NAME:
            draft.plain[name] = given
        # Without "__" it may be a variable of somebody's own, such as one that holds a secret: only near misses count.
        elif len(parts) > 1 or difflib.get_close_matches(name, _PLAIN_NAMES, cutoff=0.85):
            _unknown(draft, name, given.origin)


def _unknown(draft: _Draft, name: str, origin: str, *, is_section: bool = False) -> None:
    """Note an unknown key with the nearest known name; its value is not repeated."""
    if is_section:
        draft.complain(f"{origin}: {name} is a section with settings in it; write it as [{name}].", setting=name)
        return
    nearest = _nearest(name)
    hint = f" Did you mean {nearest}?" if nearest else " The known settings are in docs/reference/settings.md."
    draft.complain(f"{origin}: there is no setting {name}.{hint}", setting=name, nearest=nearest, origin=origin)


def _nearest(name: str) -> str:
    """The known setting that looks most like a name: as a whole, else by its last part."""
    whole = difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.75)
    if whole:
        return whole[0]
    leaves = {known.rpartition(".")[2]: known for known in reversed(tuple(BY_NAME))}
    leaf = difflib.get_close_matches(name.rpartition(".")[2], leaves, n=1, cutoff=0.75)
    return leaves[leaf[0]] if leaf else ""


# --- checking values ------------------------------------------------------------------------------------------------


def _value(draft: _Draft, setting: Setting, given: _Given | None, shown_name: str) -> SettingValue:
    """The checked value of a setting, its default, or None after noting a problem."""
    if given is None or (given.value == "" and not setting.is_required):
        return _default(draft, setting, shown_name)
    try:
        value = _convert(setting, given, draft.base)
    except (ValueError, msgspec.ValidationError):
        _refuse(draft, setting, given, shown_name)
        return None
    return value


def _default(draft: _Draft, setting: Setting, shown_name: str) -> SettingValue:
    default = setting.default
    if isinstance(default, Path):
        return draft.base / default
    if setting.type is Kind.DATABASE and isinstance(default, str):
        return _absolute_database(default, draft.base)
    if isinstance(default, str | int | float | time | tuple) or default is None:
        return default
    draft.complain(
        f"{draft.place}: {shown_name} is missing; allowed is {setting.allowed_text}.",
        setting=shown_name,
        allowed=setting.allowed_text,
    )
    return None


def _convert(setting: Setting, given: _Given, base: Path) -> SettingValue:
    """Turn what somebody wrote into a value of the setting's kind. ValueError when it is none, or not allowed."""
    kind, raw = setting.type, given.value
    value: SettingValue
    if kind is Kind.WHOLE_NUMBER:
        value = msgspec.convert(raw, int, strict=not given.is_text)
    elif kind is Kind.SECONDS:
        value = msgspec.convert(raw, float, strict=not given.is_text)
    elif kind is Kind.TIME_OF_DAY:
        value = _time_of_day(raw)
    elif kind is Kind.TEXTS:
        value = _texts(raw, is_text=given.is_text)
    else:
        value = msgspec.convert(raw, str)
    if kind is Kind.SECRET:
        return SecretRef.parse(str(value).strip(), base)
    if setting.allowed and not isinstance(setting.allowed, str) and not setting.allowed.admits(value):
        raise ValueError("not allowed")
    return _normal(kind, value, base)


def _normal(kind: Kind, value: SettingValue, base: Path) -> SettingValue:
    """Give texts their one form: GUIDs in lower case, paths absolute, addresses without a slash at the end."""
    if not isinstance(value, str):
        return value
    if kind is Kind.GUID:
        return value.lower()
    if kind is Kind.URL:
        return value.rstrip("/")
    if kind is Kind.DATABASE:
        return _absolute_database(value, base)
    if kind is Kind.PATH:
        return base / Path(value).expanduser()
    return value


def _time_of_day(raw: object) -> time:
    value = raw if isinstance(raw, time) else time.fromisoformat(msgspec.convert(raw, str))
    if value.tzinfo is not None:
        raise ValueError("a time zone")  # it is UTC by definition; another zone would move the same-day rule
    return value


def _texts(raw: object, *, is_text: bool) -> tuple[str, ...]:
    """A list of texts; in a variable semicolons stand between them, because a text may have commas in it."""
    listed = msgspec.convert(raw, str).split(";") if is_text else msgspec.convert(raw, list[str])
    return tuple(text.strip() for text in listed if text.strip())


def _absolute_database(address: str, base: Path) -> str:
    """A relative SQLite path starts at the configuration file, so that every working directory means one ledger."""
    scheme, _, path = address.partition("sqlite:///")
    if scheme or not path or path.startswith(":memory:"):
        return address
    return f"sqlite:///{(base / Path(path).expanduser()).as_posix()}"


def _refuse(draft: _Draft, setting: Setting, given: _Given, shown_name: str) -> None:
    """Note a value that is not allowed: where, which, the value (unless it could be a secret), and what is."""
    facts: dict[str, object] = {"setting": shown_name, "origin": given.origin, "allowed": setting.allowed_text}
    if setting.type is Kind.SECRET:
        draft.complain(
            f"{given.origin}: {shown_name} must say where the secret is, not what it is: {setting.allowed_text}. "
            "If a secret stood there, treat it as known to others and renew it.",
            **facts,
        )
        return
    shown = _shown_raw(setting, given.value)
    draft.complain(f"{given.origin}: {shown_name} is {shown}; allowed is {setting.allowed_text}.", value=shown, **facts)


def _shown_raw(setting: Setting, value: object) -> str:
    """A wrong value for an error message. Somebody may have put a secret into the line beside it: hide those."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return _shown_list(value) if setting.type is Kind.TEXTS else "a list"
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if setting.type is Kind.GUID and not _HARMLESS.fullmatch(value):
        return f"a text of {len(value)} characters"
    if setting.type in {Kind.DATABASE, Kind.URL}:
        value = re.sub(r"://.*@", f"://{HIDDEN}@", value)
        value = re.sub(r"(?i)(password=)[^&\s]*", rf"\1{HIDDEN}", value)
    return f'"{value[:100]}"'


def _shown_list(value: list[object]) -> str:
    return "[{}]".format(", ".join(f'"{one[:100]}"' if isinstance(one, str) else "no text" for one in value[:10]))


# --- putting the settings together ----------------------------------------------------------------------------------


def _build(draft: _Draft, file: Path | None) -> Settings | None:
    """All settings from the draft; None when a problem was noted."""
    values: dict[str, Any] = {
        name: _value(draft, setting, draft.plain.get(name), name)
        for name, setting in BY_NAME.items()
        if not name.startswith("sources[]")
    }
    sources = {label: _source_values(draft, label, given) for label, given in draft.sources.items()}
    _check_tenants(draft, values, sources)
    if draft.problems:
        return None
    return Settings(
        **{name: values[name] for name in _PLAIN_NAMES},
        cloud=CloudSettings(**_section(values, "cloud")),
        target=TenantSettings(**_section(values, "target")),
        sources=tuple(TenantSettings(**fields) for fields in sources.values()),
        policy=PolicySettings(**_section(values, "policy")),
        gdap=GdapSettings(**_section(values, "gdap")),
        limits=LimitSettings(**_section(values, "limits")),
        waves=WaveSettings(**_section(values, "waves")),
        workers=WorkerSettings(**_section(values, "workers")),
        webhooks=WebhookSettings(**_section(values, "webhooks")),
        files=FileSettings(**_section(values, "files")),
        log=LogSettings(**_section(values, "log")),
        file=file,
        read_from=_read_from(draft),
    )


def _section(values: Mapping[str, Any], section: str) -> dict[str, Any]:
    """The values of one section by their last name."""
    prefix = f"{section}."
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _source_values(draft: _Draft, label: str, given: Mapping[str, _Given]) -> dict[str, Any]:
    """The checked values of one source tenant."""
    return {
        name: _value(draft, BY_NAME[f"sources[].{name}"], given.get(name), f"sources[{label}].{name}")
        for name in _SOURCE_FIELDS
    }


def _read_from(draft: _Draft) -> dict[str, str]:
    origins = {name: given.origin for name, given in draft.plain.items()}
    for label, fields in draft.sources.items():
        origins |= {f"sources[{label}].{name}": given.origin for name, given in fields.items()}
    return origins


def _check_tenants(draft: _Draft, values: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]]) -> None:
    """A consolidation has at least one source, and every tenant in it once: the target is never also a source."""
    if not sources:
        draft.complain(
            f"{draft.place}: there is no source tenant; write each one as a [[sources]] table.", setting="sources"
        )
    seen = {values["target.tenant_id"]: "the target", values["target.key"]: "the target"}
    for label, fields in sources.items():
        for name in ("key", "tenant_id"):
            value = fields[name]
            if value is None:
                continue  # noted already
            other = seen.setdefault(value, f'the source "{label}"')
            if other != f'the source "{label}"':
                draft.complain(
                    f'{draft.place}: sources[{label}].{name} is "{value}", as for {other}; each tenant stands once.',
                    setting=f"sources[{label}].{name}",
                    value=value,
                )


def _config_error(draft: _Draft, file: Path | None) -> ConfigError:
    """One error for everything found: its own sentence for a single problem, else a list."""
    next_step = f"Correct {file}." if file else f"Write a {CONFIG_FILE} with: tenantfold init"
    if len(draft.problems) == 1:
        problem = draft.problems[0]
        return ConfigError(problem.sentence, next_step=next_step, **problem.facts)
    lines = "\n".join(f"- {problem.sentence}" for problem in draft.problems)
    names = tuple(problem.facts.get("setting") for problem in draft.problems)
    return ConfigError(f"{len(draft.problems)} settings are wrong:\n{lines}", next_step=next_step, settings=names)

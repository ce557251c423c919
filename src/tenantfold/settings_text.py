"""The settings as text (settings room): rows for ``config show``, and the commented file that ``init`` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import cast

import tomlkit

from tenantfold.secret_refs import HIDDEN, SecretRef
from tenantfold.settings import BY_NAME, SETTINGS, Settings, TenantSettings
from tenantfold.settings_kinds import Kind, Setting, SettingValue

_HEAD = (
    "# Settings of tenantfold. A line that starts with # shows the default; take the # away to change it.",
    "# Every setting can also be given as an environment variable, which wins: policy.late_case is",
    "# TENANTFOLD_POLICY__LATE_CASE, and client_id of the source with the key se is TENANTFOLD_SOURCES__SE__CLIENT_ID.",
    "# Secrets never stand here, only where they are: env:NAME or file:path.",
)
_NOT_SET = "-"


@dataclass(frozen=True, slots=True)
class OriginRow:
    """One line of ``tenantfold config show``: a setting, its value as it may be shown, and where it was read."""

    name: str
    shown_value: str
    origin: str


def variable_name(name: str, key: str = "") -> str:
    """The environment variable of a setting: ``policy.late_case`` is TENANTFOLD_POLICY__LATE_CASE.

    For a source's setting ``key`` is its short name: TENANTFOLD_SOURCES__SE__CLIENT_ID.
    """
    path = name.replace("sources[]", f"sources.{key.replace('-', '_')}")
    return "TENANTFOLD_" + path.replace(".", "__").upper()


def origins(settings: Settings) -> tuple[OriginRow, ...]:
    """Every setting with its value and whether a file, a variable or the default gave it; secrets as reference."""
    rows: list[OriginRow] = []
    for setting in SETTINGS:
        if setting.name == "sources[].key":  # all settings of one source stay together
            rows += _source_rows(settings)
        elif not setting.name.startswith("sources[]."):
            rows.append(_row(settings, setting.name, _plain_value(settings, setting.name)))
    return tuple(rows)


def _source_rows(settings: Settings) -> Iterator[OriginRow]:
    fields = [name.removeprefix("sources[].") for name in BY_NAME if name.startswith("sources[].")]
    for tenant in settings.sources:
        for field in fields:
            yield _row(settings, f"sources[{tenant.key}].{field}", getattr(tenant, field))


def _plain_value(settings: Settings, name: str) -> SettingValue:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return cast("SettingValue", value)


def _row(settings: Settings, name: str, value: SettingValue) -> OriginRow:
    return OriginRow(name, _shown(value), settings.read_from.get(name, "default"))


def _shown(value: SettingValue) -> str:
    """A value for people; behind a reference stands a secret that is never shown."""
    if value is None or value in ("", ()):
        return _NOT_SET
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, SecretRef):
        return f"{value} ({HIDDEN})"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    """A number without the ".0" that nobody wrote."""
    return str(int(value)) if value.is_integer() else str(value)


def template(
    values: Mapping[str, SettingValue] | None = None,
    target: TenantSettings | None = None,
    sources: Sequence[TenantSettings] = (),
) -> str:
    """A commented TOML file with every setting: the given ``values`` (by setting name) set, the others as defaults.

    Without tenants it has placeholders such as ``<tenant id>``, which ``load`` refuses with a clear sentence.
    Raises KeyError for a value whose name is no setting.
    """
    given = dict(values or {})
    for name in given:
        BY_NAME[name]  # a wrong name is our own mistake
    lines = list(_HEAD)
    section = ""
    for setting in SETTINGS:
        prefix, _, field = setting.name.rpartition(".")
        if prefix != section:
            section = prefix
            lines += _section_lines(section, target, sources)
        if section not in {"target", "sources[]"}:
            lines += ["", *_setting_lines(setting, field, given)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _section_lines(section: str, target: TenantSettings | None, sources: Sequence[TenantSettings]) -> Iterator[str]:
    """The head of a section; a tenant's section comes with everything in it."""
    yield ""
    if section == "target":
        yield "[target]"
        yield from _tenant_lines("target", target)
    elif section == "sources[]":
        for position, tenant in enumerate(sources or (None,)):
            yield from ([""] if position else [])
            yield "[[sources]]"
            yield from _tenant_lines("sources[]", tenant, explain=position == 0)
    else:
        yield f"[{section}]"


def _tenant_lines(section: str, tenant: TenantSettings | None, *, explain: bool = True) -> Iterator[str]:
    """The settings of one tenant, with placeholders when there is none."""
    prefix = f"{section}."
    for setting in SETTINGS:
        if not setting.name.startswith(prefix):
            continue
        field = setting.name.removeprefix(prefix)
        if explain:
            yield ""
            yield from _comment(setting)
        value: SettingValue = getattr(tenant, field) if tenant else _placeholder(section, setting, field)
        if value is None:
            shown = setting.default if isinstance(setting.default, str) else f"file:{field}"
            yield f"# {field} = {_toml(shown)}"
        else:
            yield f"{field} = {_toml(value)}"


def _placeholder(section: str, setting: Setting, field: str) -> str | None:
    """What stands where a person must write something; None where nobody must."""
    side = "target" if section == "target" else "source"
    if field == "key":
        return side
    if not setting.is_required:
        return None
    if setting.type is Kind.SECRET:
        return f"env:{side.upper()}_{field.upper()}"
    return f"<{field.replace('_', ' ')}>"


def _setting_lines(setting: Setting, field: str, given: Mapping[str, SettingValue]) -> Iterator[str]:
    """One setting with its explanation: set when given or required, else commented out with its default."""
    yield from _comment(setting)
    if setting.name in given:
        yield f"{field} = {_toml(given[setting.name])}"
    elif setting.is_required:
        yield f'{field} = "<{field}>"'
    else:
        default = setting.default
        shown = default if isinstance(default, str | int | float | time | Path | tuple) else ""
        yield f"# {field} = {_toml(shown)}"


def _comment(setting: Setting) -> Iterator[str]:
    yield f"# {setting.help}"
    yield f"# Allowed: {setting.allowed_text}."


def _toml(value: SettingValue) -> str:
    """A value as TOML; texts are quoted and escaped."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, bool | int | float):
        return _number(value) if isinstance(value, float) else str(value).lower()
    return tomlkit.string("" if value is None else str(value)).as_string()

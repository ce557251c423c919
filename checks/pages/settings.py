"""docs/reference/settings.md: the one table of settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from checks.pages.markdown import code, head, page, table
from tenantfold.config import CONFIG_FILE, CONFIG_VARIABLE, SETTINGS, Setting, variable_name

SECTIONS = {
    "": "The consolidation",
    "cloud": "The Microsoft cloud",
    "target": "The target tenant",
    "sources[]": "The source tenants",
    "policy": "Policy",
    "gdap": "Delegated admin access",
    "limits": "Limits",
    "files": "Files",
    "log": "Log",
}


def build() -> str:
    """The page, section by section in the order of the table."""
    return page(
        head("Settings", "This page lists every setting: its name, what it may be, its default and its variable."),
        f"Settings are read from the file given with `--config`, else from the one named by `{CONFIG_VARIABLE}`, else "
        f"from `{CONFIG_FILE}` in the working directory. Environment variables win over the file. `tenantfold config "
        "show` prints every value and where it came from. An unknown key is an error that names the nearest known one.",
        "A secret is never a setting: the setting says where the secret is, as `env:NAME` or `file:path`.",
        *_sections(),
    )


def section_of(setting: Setting) -> str:
    """The part of a setting's name before its last word."""
    return setting.name.rpartition(".")[0]


def _sections() -> Iterator[str]:
    found = dict.fromkeys(map(section_of, SETTINGS))
    for section in found:
        title = SECTIONS.get(section, section.capitalize())
        yield f"## {title}" + (f" (`[{section.replace('[]', '')}]`)" if section and "[]" not in section else "")
        if section == "sources[]":
            yield "One `[[sources]]` table for each. In a variable's name, `KEY` is the tenant's short name."
        yield table(
            ("setting", "allowed", "default", "meaning", "variable"),
            (_row(setting) for setting in SETTINGS if section_of(setting) == section),
        )


def _row(setting: Setting) -> tuple[str, ...]:
    variable = code(variable_name(setting.name, "KEY"))
    return code(setting.name), setting.allowed_text, default_of(setting), setting.help, variable


def default_of(setting: Setting) -> str:
    """The default as somebody would write it; a required setting has none."""
    if setting.is_required:
        return "required"
    default = setting.default
    if default is None or default in ("", ()):
        return ""
    if isinstance(default, tuple):
        return code("; ".join(default))
    if isinstance(default, time):
        return code(f"{default:%H:%M}")
    return code(f"{default:g}" if isinstance(default, float) else default)

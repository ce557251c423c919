"""docs/reference/cli.md: every command, argument and option of both programs, as Typer knows them."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any

import typer
import typer.main

from checks.pages.markdown import code, first_sentence, head, page, table

# Typer carries its own copy of click without public names for these classes: commands and parameters are duck-typed.
Command = Any
Parameter = Any
Row = tuple[str, str, str, str]

OPTION_HEADINGS = ("option", "value", "default", "meaning")
MANY = 2


def build() -> str:
    """The page, from the Typer apps of the product and the emulator."""
    from partner_center_emulator.cli import app as emulator  # noqa: PLC0415 - the page must not need what others do not
    from tenantfold.cli import app as product  # noqa: PLC0415 - as above

    return page(
        head("Command line", "This page lists every command of both programs, with its arguments and options."),
        "Exit codes are listed in [Exit codes, errors, refusals and findings](errors.md).",
        *describe(product, "tenantfold"),
        *describe(emulator, "partner-center-emulator"),
    )


def describe(app: typer.Typer, program: str) -> Iterator[str]:
    """Markdown of a program and all its commands, in the order of the app."""
    root = typer.main.get_command(app)
    if not is_group(root):  # an app with a single command is that command
        yield f"## {program}"
        yield from _body(root, (program,), ())
        return
    yield f"## {program}"
    yield prose(root.help)
    yield table(("command", "what it does"), _overview(root, (program,)))
    yield _options(root.params)
    shared = shared_options([command for _, command in commands(root, (program,))])
    if shared:
        yield "Options that most commands have:"
        yield table(OPTION_HEADINGS, shared)
    for path, command in commands(root, (program,)):
        yield f"### {' '.join(path)}"
        yield from _body(command, path, shared)


def is_group(command: Command) -> bool:
    """Whether a command holds other commands."""
    return hasattr(command, "commands")


def commands(group: Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Command]]:
    """All visible commands below a group with the words that call them."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if is_group(command):
            if command.invoke_without_command:  # it does something by itself, too
                yield (*path, name), command
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def _overview(group: Command, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for words, command in commands(group, path):
        yield code(" ".join(words[1:])), first_sentence(prose(command.help))


def shared_options(found: Sequence[Command]) -> tuple[Row, ...]:
    """The rows of options that more than half of several commands have, said once instead of at each."""
    counts = Counter(option_row(option) for command in found for option in _visible(command, "option"))
    return tuple(row for row, count in counts.items() if count > MANY and count * 2 > len(found))


def _body(command: Command, path: tuple[str, ...], shared: Sequence[Row]) -> Iterator[str]:
    yield prose(command.help)
    yield f"```\n{usage(command, path)}\n```"
    yield table(
        ("argument", "value", "meaning"),
        ((code(one.name), value_of(one), prose(one.help)) for one in _visible(command, "argument")),
    )
    options = _visible(command, "option")
    yield _options([one for one in options if option_row(one) not in shared])
    names = [option_row(one)[0] for one in options if option_row(one) in shared]
    yield f"And {', '.join(names)}." if names else ""


def _options(options: Sequence[Parameter]) -> str:
    return table(OPTION_HEADINGS, (option_row(one) for one in options if not getattr(one, "hidden", False)))


def option_row(option: Parameter) -> Row:
    """The cells of one option."""
    return names_of(option), value_of(option), default_of(option), prose(option.help)


def _visible(command: Command, kind: str) -> list[Parameter]:
    return [one for one in command.params if one.param_type_name == kind and not getattr(one, "hidden", False)]


def usage(command: Command, path: tuple[str, ...]) -> str:
    """How the command is called, in one line."""
    words = list(path)
    if _visible(command, "option"):
        words.append("[OPTIONS]")
    for one in _visible(command, "argument"):
        many = "..." if one.nargs == -1 else ""
        words.append(f"{one.name}{many}" if one.required else f"[{one.name}{many}]")
    return " ".join(words)


def prose(text: str | None) -> str:
    """Help text without the marks that Typer's help uses for layout."""
    return inspect.cleandoc(text or "").replace("\b\n", "").strip()


def names_of(option: Parameter) -> str:
    """The spellings of an option, longest first, with the one that switches it off."""
    spellings = sorted(option.opts, key=len, reverse=True)
    return ", ".join(map(code, [*spellings, *option.secondary_opts]))


def value_of(parameter: Parameter) -> str:
    """What kind of value a parameter takes; a switch takes none."""
    if getattr(parameter, "is_flag", False):
        return ""
    annotation = parameter.type_descriptor.annotation
    inner = next(iter(getattr(annotation, "__args__", ())), annotation)
    if isinstance(inner, type) and issubclass(inner, Enum):
        return " or ".join(code(member.value) for member in inner)
    many = ", several" if parameter.nargs == -1 or parameter.multiple else ""
    return f"{getattr(inner, '__name__', str(inner)).lower()}{many}"


def default_of(option: Parameter) -> str:
    """The default of an option, as somebody would type it."""
    if option.required:
        return "required"
    default = option.default.value if isinstance(option.default, Enum) else option.default
    if getattr(option, "is_flag", False):
        return "on" if default else "off"
    return "" if default is None or default in ((), []) else code(default)

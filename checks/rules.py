"""The rules of the house that look at one file: one small function each, and the table that names them.

A rule yields (line, what to do). Which files it looks at stands in the table, not in the rule.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

from checks.source import Finding, Source

Hits = Iterator[tuple[int, str]]

CLOCK_NAMES = frozenset(
    {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "time.perf_counter_ns",
        "time.sleep",
        "asyncio.sleep",
        "anyio.sleep",
    }
)
EVENT_LOOP = re.compile(r"(^|_)loop$|^get_(running|event)_loop$|^new_event_loop$")
ENVIRONMENT_NAMES = frozenset({"os.environ", "os.environb", "os.getenv", "os.getenvb"})
DATABASE_PACKAGES = frozenset({"sqlalchemy", "alembic", "sqlite3", "psycopg"})
SQL_START = re.compile(
    r"""^\s*(
      (SELECT|select)\s.+\b(FROM|from)\s | (INSERT|insert)\s+(INTO|into|OR|or)\b | (UPDATE|update)\s+\S+\s+(SET|set)\b
    | (DELETE|delete)\s+(FROM|from)\s | (CREATE|create|ALTER|alter|DROP|drop)\s+(TABLE|table|INDEX|index|VIEW|view)\b
    | (CREATE|create)\s+(UNIQUE|unique|TEMP|temp|VIRTUAL|virtual)\s | (PRAGMA|pragma)\s+\w+ | (BEGIN|begin)\s+(IMM|imm)
    | (WITH|with)\s+(RECURSIVE\s+|recursive\s+)?\w+(\s*\([^)]*\))?\s+(AS|as)\s*\( | (VACUUM|ANALYZE)\b )""",
    re.VERBOSE | re.DOTALL,
)
CAMEL_CASE = re.compile(r"^[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)+$")
FOREIGN_NAMES = frozenset({"addHandler", "setLevel"})  # methods of the standard library that speak camelCase
EMPTY_NAMES = frozenset({"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "stuff"})
EXCUSE = re.compile(
    r"#\s*(?:noqa\b(?::\s*(?P<codes>[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*))?|type:\s*ignore(?P<kinds>\[[^\]]*\])?)(?P<rest>.*)$"
)
REASON = re.compile(r"^\s*[-#(,;:].*\w{3}")
CORE = ("tenantfold.errors", "tenantfold.domain")


def clock(source: Source) -> Hits:
    """Time is known and passed only through the clock modules."""
    yields = {id(node.func) for node in source.nodes if isinstance(node, ast.Call) and _takes_zero(node)}
    for node in source.nodes:
        if id(node) in yields and source.full_name(node) in {"asyncio.sleep", "anyio.sleep"}:
            continue  # sleep(0) gives way to other tasks and lets no time pass
        if isinstance(node, ast.Name | ast.Attribute) and (name := source.full_name(node)) in CLOCK_NAMES:
            yield node.lineno, f"{name} goes past the Clock; take the time from the `Clock` you were given"
        elif isinstance(node, ast.Attribute) and node.attr == "time" and _is_event_loop(node.value):
            yield (
                node.lineno,
                "the event loop's time goes past the Clock; take the time from the `Clock` you were given",
            )


def _takes_zero(call: ast.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def _is_event_loop(node: ast.AST) -> bool:
    target = node.func if isinstance(node, ast.Call) else node
    name = target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
    return bool(EVENT_LOOP.search(name))


def sql(source: Source) -> Hits:
    """SQL and database drivers live in the store only."""
    for line, module in source.imported_modules():
        if module.split(".")[0] in DATABASE_PACKAGES:
            yield line, f"imports {module}; only src/tenantfold/store/ talks to a database: add a method there"
    for node in source.strings():
        if SQL_START.match(str(node.value)):
            yield node.lineno, "a string that starts like SQL; move the statement into src/tenantfold/store/"


def wire_names(source: Source) -> Hits:
    """Names of Partner Center's JSON stay in the wire modules."""
    for node in source.nodes:
        for line, name in _spoken_names(node, source):
            if CAMEL_CASE.match(name) and name not in FOREIGN_NAMES:
                yield line, f"'{name}' looks like a name on the wire; translate it in partnercenter/wire*.py"


def _spoken_names(node: ast.AST, source: Source) -> Hits:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in source.docstrings:
        yield node.lineno, node.value
    elif isinstance(node, ast.Attribute):
        if not _is_standard_library(source.full_name(node)):
            yield node.lineno, node.attr
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.value.lineno, node.arg
    elif isinstance(node, ast.arg):
        yield node.lineno, node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.lineno, node.id


def _is_standard_library(name: str | None) -> bool:
    return name is not None and name.split(".")[0] in sys.stdlib_module_names


def prints(source: Source) -> Hits:
    """People are spoken to through the renderer."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print() goes past the renderer; return the facts and let cli/render.py show them"


def environment(source: Source) -> Hits:
    """Settings come from the settings table, never straight from the environment."""
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and (name := source.full_name(node)) in ENVIRONMENT_NAMES:
            yield node.lineno, f"{name} reads the environment; add a setting to src/tenantfold/config.py and pass it in"
        elif isinstance(node, ast.keyword) and node.arg == "envvar":
            yield node.value.lineno, "envvar= reads the environment; add a setting to src/tenantfold/config.py instead"


def pure_core(source: Source) -> Hits:
    """The core imports the standard library and the tree of errors, nothing else."""
    for line, module in source.imported_modules():
        ours = any(module == name or module.startswith(f"{name}.") for name in CORE)
        if not ours and module.split(".")[0] not in sys.stdlib_module_names:
            yield line, f"imports {module}; the core decides with plain values: do this outside and pass the result in"


def module_names(source: Source) -> Hits:
    """A file is named after what it holds."""
    path = PurePosixPath(source.path)
    for word in (*path.parent.parts, path.stem):
        if word in EMPTY_NAMES:
            yield 1, f"'{word}' says nothing; name it after the Partner Center resource or the step of the job"


def stubs(source: Source) -> Hits:
    """Nothing is left for later: what is missing is refused with a sentence."""
    for node in source.nodes:
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name) and raised.id == "NotImplementedError":
                yield (
                    node.lineno,
                    "NotImplementedError is a stub; build it, or raise one of our errors that says why not",
                )


def excuses(source: Source) -> Hits:
    """An exception to a linter names its rule and gives its reason on the same line."""
    in_a_test = source.path.startswith("tests/")
    for line, comment in source.comments:
        match = EXCUSE.match(comment)
        if match is None or (in_a_test and match["kinds"]):
            continue  # a test hands over a wrong type on purpose; the kind of mistake is reason enough
        if not (match["codes"] or match["kinds"]):
            yield line, "names no rule; write `# noqa: CODE - reason` or `# type: ignore[kind] - reason`"
        elif not REASON.match(match["rest"]):
            yield line, "gives no reason; write it behind the code: `# noqa: CODE - reason`"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, the sentence it holds, the function that looks, where it looks and where not."""

    name: str
    check: Callable[[Source], Hits]
    inside: tuple[str, ...]
    outside: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The rule in one sentence."""
        return (self.check.__doc__ or "").strip()

    def looks_at(self, path: str) -> bool:
        """Whether this rule has a say about a file (``*`` in a pattern crosses folders)."""
        return any(fnmatch(path, pattern) for pattern in self.inside) and not any(
            fnmatch(path, pattern) for pattern in self.outside
        )

    def findings(self, source: Source) -> Iterator[Finding]:
        """Everything this rule has to say about a file, allowances taken off."""
        if not self.looks_at(source.path):
            return
        for line, advice in self.check(source):
            if (line, self.name) not in source.allowed:
                yield Finding(source.path, line, self.name, advice)


EVERYWHERE = ("src/*", "tests/*", "benchmarks/*", "checks/*")
RULES = (
    Rule(
        "clock",
        clock,
        ("src/*", "tests/*"),
        ("src/tenantfold/clock.py", "src/partner_center_emulator/clock.py", "tests/partnercenter/virtual.py"),
    ),
    Rule("sql", sql, ("src/*",), ("src/tenantfold/store/*",)),
    Rule("wire-names", wire_names, ("src/tenantfold/*",), ("src/tenantfold/partnercenter/wire*",)),
    Rule(
        "print",
        prints,
        ("src/*", "tests/*"),
        ("src/tenantfold/cli/render.py", "src/partner_center_emulator/cli*.py", "tests/model/*"),
    ),
    Rule("environment", environment, ("src/*", "benchmarks/*"), ("src/tenantfold/config.py", "benchmarks/postgres.py")),
    Rule("pure-core", pure_core, ("src/tenantfold/domain/*",)),
    Rule("module-name", module_names, EVERYWHERE),
    Rule("stub", stubs, EVERYWHERE),
    Rule("excuse", excuses, EVERYWHERE),
)

"""Each rule of the house finds what it forbids, in the files it looks at, and nothing else."""

from __future__ import annotations

import pytest

from checks.rules import RULES
from checks.source import Finding, Source

PRODUCT = "src/tenantfold/flow/inventory.py"
CORE = "src/tenantfold/domain/plan.py"
TEST = "tests/flow/test_inventory.py"


def findings(code: str, path: str = PRODUCT) -> list[Finding]:
    """What all rules say about a piece of code at a path."""
    source = Source.parse(path, code)
    return [finding for rule in RULES for finding in rule.findings(source)]


def broken(code: str, path: str = PRODUCT) -> set[str]:
    """The names of the rules a piece of code breaks."""
    return {finding.rule for finding in findings(code, path)}


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\ndatetime.datetime.now()",
        "import datetime as dt\nwhen = dt.datetime.utcnow",
        "from datetime import datetime as D, UTC\nD.now(UTC)",
        "from datetime import date\ndate.today()",
        "import time\ntime.time()",
        "from time import monotonic\nmonotonic()",
        "import time\ntime.perf_counter()",
        "import asyncio\nasyncio.sleep(1)",
        "from asyncio import sleep as nap\nnap(1)",
        "import asyncio\nnap = asyncio.sleep",
        "import time\ntime.sleep(0)",
        "import asyncio\nasyncio.get_running_loop().time()",
        "def f(self):\n    return self._loop.time()",
    ],
)
def test_finds_every_way_past_the_clock(code: str):
    """Aliases and bare references are no way around the clock rule."""
    assert broken(code) == {"clock"}
    assert broken(code, TEST) == {"clock"}


@pytest.mark.parametrize(
    "code",
    [
        "def f(clock):\n    return clock.now()",
        "from datetime import datetime\ndatetime.fromisoformat('2026-01-01')",
        "def f(record):\n    return record.time()",
        "async def f(clock):\n    await clock.sleep(1)",
        "import asyncio\nasyncio.sleep(0)",
    ],
)
def test_leaves_the_clock_port_and_plain_dates_alone(code: str):
    """Asking the port, parsing a date or reading a field called time is fine."""
    assert broken(code) == set()


@pytest.mark.parametrize(
    "path", ["src/tenantfold/clock.py", "src/partner_center_emulator/clock.py", "benchmarks/plan.py"]
)
def test_lets_the_clock_modules_and_the_benchmarks_read_the_time(path: str):
    """The two clock modules exist for it, and a benchmark measures with it."""
    assert broken("import time\ntime.monotonic()", path) == set()


@pytest.mark.parametrize(
    "code",
    [
        "import sqlalchemy as sa",
        "from sqlalchemy.dialects import sqlite",
        "import sqlite3",
        "from psycopg import sql",
        "q = 'SELECT id FROM customer'",
        "q = '''\n  select a,\n  b from c'''",
        "q = 'INSERT INTO customer VALUES (1)'",
        "q = 'UPDATE customer SET a = 1'",
        "q = 'DELETE FROM customer'",
        "q = 'PRAGMA journal_mode=WAL'",
        "q = 'CREATE UNIQUE INDEX a ON b (c)'",
        "q = 'WITH a AS (SELECT 1) SELECT 2'",
        "q = f'DELETE FROM {table}'",
    ],
)
def test_finds_databases_and_statements_outside_the_store(code: str):
    """Both the driver and the text of a statement give SQL away; in the store they are at home."""
    assert broken(code) == {"sql"}
    assert broken(code, "src/tenantfold/store/ledger.py") == set()


@pytest.mark.parametrize(
    "code",
    [
        "text = 'Select a customer from the list'",
        "text = 'Update the settings file'",
        "text = 'with a plan as (dry run)'",
        "def f():\n    '''SELECT a FROM b explains the report.'''",
    ],
)
def test_does_not_take_prose_for_statements(code: str):
    """Sentences and docstrings may speak of selecting and updating."""
    assert broken(code) == set()


@pytest.mark.parametrize(
    "code",
    [
        "body = {'offerId': 1}",
        "body['lineItems']",
        "x = record.companyProfile",
        "call(billingCycle=1)",
        "def f(offerId):\n    return 1",
        "friendlyName = 1",
    ],
)
def test_finds_wire_names_outside_the_wire_modules(code: str):
    """Camel-case keys, attributes, arguments and variables belong to the wire, and only to the product's rule."""
    assert broken(code) == {"wire-names"}
    assert broken(code, "src/tenantfold/partnercenter/wire.py") == set()
    assert broken(code, "src/tenantfold/partnercenter/wire_orders.py") == set()
    assert broken(code, "src/partner_center_emulator/orders/routes.py") == set()


@pytest.mark.parametrize(
    "code", ["import logging\nlogging.getLogger('a')", "text = 'iPad cases'", "class PlanItem: ..."]
)
def test_leaves_other_capitals_alone(code: str):
    """The standard library's names, prose and class names are no wire names."""
    assert broken(code) == set()


def test_finds_print_everywhere_but_in_the_renderer():
    """Only the renderer and the emulator's own command line may print."""
    assert broken("print(1)") == {"print"}
    assert broken("print(1)", TEST) == {"print"}
    assert broken("print(1)", "src/partner_center_emulator/app.py") == {"print"}
    assert broken("print(1)", "src/tenantfold/cli/render.py") == set()
    assert broken("print(1)", "src/partner_center_emulator/cli.py") == set()
    assert broken("console.print(1)") == set()


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.environ['A']",
        "import os\nos.getenv('A')",
        "from os import environ\nenviron.get('A')",
        "typer.Option(envvar='A')",
    ],
)
def test_finds_reads_of_the_environment(code: str):
    """The settings table is the only reader of the environment; tests may set the stage."""
    assert broken(code) == {"environment"}
    assert broken(code, "src/tenantfold/config.py") == set()
    assert broken(code, TEST) == set()


@pytest.mark.parametrize("module", ["msgspec", "tenantfold.store", "tenantfold.config", "tenantfold.errors_more"])
def test_keeps_the_core_pure(module: str):
    """The core may not import other packages, neither strangers nor ours."""
    assert broken(f"import {module}", CORE) == {"pure-core"}
    assert broken(f"import {module}") == set()


def test_lets_the_core_import_what_is_plain():
    """The standard library, the errors and the core itself are enough to decide."""
    assert (
        broken("import decimal\nfrom tenantfold.errors import InputError\nimport tenantfold.domain.model", CORE)
        == set()
    )


@pytest.mark.parametrize("path", ["src/tenantfold/flow/utils.py", "tests/common/test_a.py", "benchmarks/helpers.py"])
def test_finds_names_that_say_nothing(path: str):
    """Neither a file nor a folder may be called after nothing in particular."""
    assert broken("x = 1", path) == {"module-name"}


def test_finds_stubs():
    """Raising NotImplementedError, called or bare, is work left undone."""
    assert broken("raise NotImplementedError") == {"stub"}
    assert broken("raise NotImplementedError('later')") == {"stub"}
    assert broken("try:\n    f()\nexcept NotImplementedError:\n    g()") == set()


@pytest.mark.parametrize(
    "comment", ["# noqa", "# noqa: S101", "# type: ignore", "# type: ignore[misc]", "# noqa: A1, B2"]
)
def test_finds_excuses_without_a_rule_or_a_reason(comment: str):
    """An exception to a linter says which rule and why."""
    assert broken(f"x = 1  {comment}") == {"excuse"}


def test_a_test_may_hand_over_a_wrong_type_without_saying_why():
    """The kind of mistake has to be named all the same, and other linters still want a reason."""
    assert broken("f(1)  # type: ignore[arg-type]", TEST) == set()
    assert broken("f(1)  # type: ignore", TEST) == {"excuse"}
    assert broken("f(1)  # noqa: S101", TEST) == {"excuse"}


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: S101 - the caller has looked already",
        "# type: ignore[misc] - the library has no types",
        "# noqa: BLE001, S110 # whatever the probe says means no",
        "# noqa: PLR0913 (one argument per column)",
        "# a plain comment about noqa",
    ],
)
def test_accepts_excuses_with_a_reason(comment: str):
    """Any of the usual ways to write the reason will do."""
    assert broken(f"x = 1  {comment}") == set()


def test_an_allowance_excuses_its_own_line_from_its_own_rule_only():
    """The comment needs the rule's name and a reason, and reaches no further than its line."""
    assert broken("print(1)  # house: print - shown before the renderer exists") == set()
    assert broken("print(1)  # house: print") == {"print"}
    assert broken("print(1)  # house: clock - wrong rule") == {"print"}
    assert broken("print(1)  # house: print - first\nprint(2)") == {"print"}


def test_a_finding_says_where_which_rule_and_what_to_do():
    """The line a person reads has file, line, rule and advice."""
    (finding,) = findings("x = 1\nprint(x)")
    assert str(finding).startswith(f"{PRODUCT}:2: print: ")
    assert "renderer" in finding.advice

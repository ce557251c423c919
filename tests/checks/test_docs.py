"""The generated pages: fresh or not, complete, and readable whatever stands in a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
import typer
import typer.main

from checks import docs
from checks.pages import cli, errors, markdown, settings
from tenantfold.config import SETTINGS
from tenantfold.domain.findings import FindingCode
from tenantfold.domain.guards import RefusalCode
from tenantfold.errors import ExitCode, TenantfoldError

PAGES: Mapping[str, Callable[[], str]] = {"a.md": lambda: "# A\n", "b.md": lambda: "# B\n"}


def small_app() -> typer.Typer:
    """A program with a group, an argument of each kind and options of each kind."""
    app = typer.Typer(help="Folds things.")
    config = typer.Typer(help="Looks at settings.")
    app.add_typer(config, name="config")

    @app.command()
    def run(
        names: Annotated[list[str] | None, typer.Argument(help="Which | ones.")] = None,
        *,
        file: Annotated[Path | None, typer.Option("--file", "-f", help="Where to.")] = None,
        times: Annotated[int, typer.Option(help="How often.")] = 3,
        as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """Run it.

        More about it.
        """

    @app.command(hidden=True)
    def secret() -> None:
        """Not for people."""

    @config.command()
    def show(key: Annotated[str, typer.Argument(help="Which one.")]) -> None:
        """Show one."""

    return app


def reference(root: Path) -> Path:
    """The folder of generated pages of a new repository."""
    folder = root / "docs" / "reference"
    folder.mkdir(parents=True)
    return folder


def test_says_which_pages_are_missing_or_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The check names each page and writes none of them."""
    old = reference(tmp_path) / "a.md"
    old.write_text("# old\n", encoding="utf-8")
    assert docs.main(["--check"], tmp_path, PAGES) == 1
    shown = capsys.readouterr().out
    assert "docs/reference/a.md: out of date" in shown
    assert "docs/reference/b.md: out of date" in shown
    assert old.read_text(encoding="utf-8") == "# old\n"


def test_is_content_after_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Writing makes the check pass, and a second writing touches nothing."""
    folder = reference(tmp_path)
    assert docs.main([], tmp_path, PAGES) == 0
    assert capsys.readouterr().out == "docs: wrote a.md, b.md\n"
    assert docs.main(["--check"], tmp_path, PAGES) == 0
    assert docs.write(folder, PAGES) == []


def test_finds_links_to_pages_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Relative links are followed from their page, without the part behind #; other hosts are not asked."""
    (reference(tmp_path) / "real.md").write_text(
        "[up](../../README.md#top) [away](https://example.com/x)\n", encoding="utf-8"
    )
    (tmp_path / "README.md").write_text("one\n[two](docs/reference/real.md) [three](docs/gone.md)\n", encoding="utf-8")
    assert docs.main(["--check"], tmp_path, {}) == 1
    assert capsys.readouterr().out == "README.md:2: links to docs/gone.md, which is not there\n"


def test_describes_every_visible_command_with_the_words_that_call_it():
    """Groups are followed down; hidden commands stay hidden."""
    text = "\n".join(cli.describe(small_app(), "fold"))
    assert "### fold run" in text
    assert "### fold config show" in text
    assert "fold run [OPTIONS] [names...]" in text
    assert "fold config show key" in text
    assert "secret" not in text


def test_describes_arguments_and_options_as_somebody_would_type_them():
    """Names, kinds of value, defaults and help all arrive; a bar in a text does not break the table."""
    text = "\n".join(cli.describe(small_app(), "fold"))
    assert "| `names` | str, several | Which \\| ones. |" in text
    assert "| `--file`, `-f` | path |  | Where to. |" in text
    assert "| `--times` | int | `3` | How often. |" in text
    assert "| `--json` |  | off | As JSON. |" in text


def test_says_what_most_commands_have_only_once():
    """An option that is the same everywhere gets one line for all, and each command names it."""
    app = typer.Typer()

    def work(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
        """Work."""

    for name in ("one", "two", "three"):
        app.command(name)(work)
    text = "\n".join(cli.describe(app, "fold"))
    assert text.count("As JSON.") == 1
    assert text.count("And `--json`.") == 3


def test_every_setting_stands_on_its_page():
    """Name and help of each row of the settings table."""
    text = settings.build()
    for setting in SETTINGS:
        assert f"`{setting.name}`" in text
        assert markdown.cell(setting.help) in text


def test_every_code_stands_on_the_page_of_errors():
    """Exit codes, classes, refusals and findings."""
    text = errors.build()
    for exit_code in ExitCode:
        assert f"| {exit_code.value} | `{exit_code.name.lower()}` |" in text
    for code in (*RefusalCode, *FindingCode):
        assert f"| `{code.value}` |" in text
    for error in TenantfoldError.__subclasses__():
        assert f"`{error.__name__}`" in text


def test_a_code_without_a_sentence_breaks_the_page():
    """Neither a new code nor a left-over sentence goes unnoticed."""

    class Code(StrEnum):
        OLD = "old"
        NEW = "new"

    with pytest.raises(ValueError, match="new"):
        list(errors.rows(Code, {"old": "Old."}))
    with pytest.raises(ValueError, match="gone"):
        list(errors.rows(Code, {"old": "Old.", "new": "New.", "gone": "Gone."}))


def test_a_page_ends_with_one_line_end_and_has_no_empty_parts():
    """Empty tables leave no holes."""
    assert markdown.page("# A\n", "", markdown.table(("x",), ()), "b") == "# A\n\nb\n"

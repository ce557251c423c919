"""One Python file as the rules see it: its path, its tree, and what its names stand for."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path

ALLOWANCE = re.compile(r"#\s*house:\s*(?P<rule>[a-z-]+)\s+-\s+\S")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule: where, which, and what to do about it."""

    path: str
    line: int
    rule: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.advice}"


@dataclass(frozen=True)
class Source:
    """A parsed file; ``path`` is relative to the repository, with forward slashes."""

    path: str
    text: str
    tree: ast.Module = field(repr=False)

    @classmethod
    def parse(cls, path: str, text: str) -> Source:
        """Parse a file's text. Raises SyntaxError as Python does."""
        return cls(path=path, text=text, tree=ast.parse(text, filename=path))

    @classmethod
    def read(cls, root: Path, file: Path) -> Source:
        """Read and parse one file below ``root``."""
        return cls.parse(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree, once."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported local name stands for: ``{"dt": "datetime", "sleep": "asyncio.sleep"}``."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    names[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return names

    @cached_property
    def docstrings(self) -> frozenset[int]:
        """The identities of the constants that are docstrings or bare strings: prose, not data."""
        return frozenset(id(node.value) for node in self.nodes if isinstance(node, ast.Expr))

    @cached_property
    def comments(self) -> tuple[tuple[int, str], ...]:
        """Every comment with its line."""
        tokens = tokenize.generate_tokens(StringIO(self.text).readline)
        return tuple((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)

    @cached_property
    def allowed(self) -> frozenset[tuple[int, str]]:
        """Lines that carry ``# house: <rule> - <reason>``, with the rule they are excused from."""
        found = ((line, ALLOWANCE.search(comment)) for line, comment in self.comments)
        return frozenset((line, match["rule"]) for line, match in found if match)

    def full_name(self, node: ast.AST) -> str | None:
        """Return the dotted name that a Name or Attribute stands for, seen through the imports of this file."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.full_name(node.value)
            return f"{owner}.{node.attr}" if owner else None
        return None

    def imported_modules(self) -> Iterator[tuple[int, str]]:
        """Every absolute module imported anywhere in the file, with its line."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.lineno, node.module

    def strings(self) -> Iterator[ast.Constant]:
        """Every string literal that is data, docstrings left out."""
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in self.docstrings:
                yield node

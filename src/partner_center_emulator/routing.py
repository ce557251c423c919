"""Finding the route of a path (wire room): a tree of path segments, so that the cost does not grow with the routes.

Segments match in any case, empty ones are skipped: ``/v1//customers/`` is ``/v1/customers``, as the service accepts it.
A fixed segment wins over a variable one.
"""

from __future__ import annotations

from collections.abc import Iterable

from partner_center_emulator.requests import Page, Route

Target = Route | Page


class _Node:
    __slots__ = ("children", "name", "targets", "variable")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.name = ""
        self.targets: dict[str, Target] = {}


class Match:
    """What a path leads to: the routes by method, the path's variables as sent, and the path in its one spelling."""

    __slots__ = ("path", "targets", "variables")

    def __init__(self, targets: dict[str, Target], variables: dict[str, str], path: str) -> None:
        self.targets = targets
        self.variables = variables
        self.path = path


class RouteTree:
    """All routes of the emulator; raises ValueError when two of them claim the same method and path."""

    def __init__(self, routes: Iterable[Target]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)
        # some clients spell the version 1.0 (the list of values in the service's own description has both)
        if "v1" in self._root.children:
            self._root.children["v1.0"] = self._root.children["v1"]

    def _add(self, route: Target) -> None:
        node = self._root
        for segment in _segments(route.template):
            if segment.startswith("{"):
                name = segment.strip("{}")
                node.variable = node.variable or _Node()
                node = node.variable
                if node.name not in {"", name}:
                    raise ValueError(f"{route.key} names the variable {node.name} differently.")
                node.name = name
            else:
                node = node.children.setdefault(segment.lower(), _Node())
        if route.method in node.targets:
            raise ValueError(f"{route.key} is listed twice.")
        node.targets[route.method] = route

    def find(self, path: str) -> Match | None:
        """Return what ``path`` leads to, or None if nothing is there."""
        segments = _segments(path)
        variables: dict[str, str] = {}
        node: _Node | None = self._root
        for segment in segments:
            if node is None:
                return None
            child = node.children.get(segment.lower())
            if child is None:
                child = node.variable
                if child is not None:
                    variables[child.name] = segment
            node = child
        if node is None or not node.targets:
            return None
        return Match(node.targets, variables, f"/{'/'.join(segments)}".lower())


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]
